"""A view as a figure of matplotlib, for papers: the same numbers, and the same shades."""

from typing import Any

from headway.errors import UsageError
from headway.inspection.scenes import Spectrogram
from headway.inspection.view import View

SHADES = ("#f4f6f8", "#f3f8fd", "#e2eef9", "#cbe0f3", "#a9cbe9", "#86b4dd", "#336fa9", "#174a80")
"""Of nothing, and of 1 … 7, as in report.css."""
INCHES, LARGEST = 0.34, 12.0
"""The side of a cell, and what a figure takes at most."""


def figure(view: View, part: str | None = None, layer: int | None = None, head: int | None = None) -> Any:
    """The heat map of a head of a layer; a sound stands over it. Raises UsageError without matplotlib."""
    try:
        from matplotlib.colors import ListedColormap
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("figure() draws by matplotlib, which is not installed: pip install 'headway[plots]'") from None
    picture = view.picture(part, layer, head)
    T, S = picture.values.shape
    width, height = (min(LARGEST, 2.2 + INCHES * count) for count in (S, T))
    over = isinstance(view.scene, Spectrogram) and not picture.title.startswith("decoder")
    made = Figure((width, height + 1.4 * over), layout="constrained")
    axes = made.subplots(2 if over else 1, 1, squeeze=False, height_ratios=[1, 3] if over else [1])[:, 0]
    if isinstance(view.scene, Spectrogram) and over:
        ends = (-0.5, S - 0.5, 0, view.scene.values.shape[1])
        axes[0].imshow(view.scene.values.T, origin="lower", aspect="auto", cmap="Greys", extent=ends)
        axes[0].set(xticks=[], yticks=[], ylabel="pitch")
    axes[-1].imshow(picture.shades(), cmap=ListedColormap(SHADES), vmin=-0.5, vmax=7.5, aspect="auto")
    axes[-1].set_xticks(range(S), picture.columns, rotation=90)
    axes[-1].set_yticks(range(T), picture.rows)
    made.suptitle(picture.title, fontsize="medium")
    return made
