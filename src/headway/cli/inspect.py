"""`headway inspect`."""

import json as json_
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from headway.cli._options import Json
from headway.errors import UsageError, file_name


def inspect(
    run: Path,
    file: Path | None = None,
    /,
    *,
    text: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    number: int = 1,
    target: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    kind: Literal["encoder", "decoder", "cross"] | None = None,
    layer: int | None = None,
    head: int | None = None,
    mode: str = "auto",
    average: Annotated[bool, Parameter(negative="")] = False,
    part: Literal["train", "valid", "test"] = "test",
    examples: int = 500,
    attributions: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[tuple[int, ...], Parameter(negative="", consume_multiple=False)] = (),
    html: Path | None = None,
    figure: Path | None = None,
    json: Json = False,
) -> int:
    """See why a trained run answered so: where each layer and head looked, and how it was decided.

      headway inspect translator --text "a small dog"
      headway inspect tagger news/test.conllu --number 3 --layer 1 --head 0
      headway inspect translator --text "a small dog" --html dog.html
      headway inspect tagger news --average

    Attention alone is not an explanation, and every picture says so.

    Parameters
    ----------
    run
        A run folder.
    file
        A file in any format that training reads, or a sound; with --average also a data set.
    text
        A text to look at.
    number
        Which example of the file, from 1.
    target
        What is written instead of the run's own answer: how it would have looked.
    kind
        encoder (the input looks at itself), decoder (what is written looks at what was written) or cross (it looks at
        the input); cross where there is one.
    layer
        The layer that is drawn, from 0; the last where none is given.
    head
        The head that is drawn, from 0; the mean of all where none is given.
    mode
        How a new sequence is found: auto, or one of the run's modes.
    average
        Tell what each head does over a data set: the share of its attention on the previous element, the start, the
        same word, the diagonal …
    part
        With --average: which part of the data set.
    examples
        With --average: the first so many only.
    attributions
        Tell also how much each element added to each output, by integrated gradients (needs captum).
    output
        With --attributions: which output (label, token), from 0; may be given several times; the first dozen where none
        is given.
    html
        Write a page with all layers and heads, which needs no network; of a long input only with the --kind, --layer
        and --head that are drawn.
    figure
        Write the heat map as a picture (.pdf, .svg, .png; needs matplotlib).
    """
    from headway.experiment import load

    if (file is None) == (text is None) and not average:
        raise UsageError(
            "nothing to look at: give a file, or --text" if text is None else "give a file, or --text, and not both"
        )
    if output and not attributions:
        raise UsageError("--output says which outputs --attributions are of: give both")
    for path in (html, figure):
        _check_folder(path)
    predictor = load(run)
    if average:
        from headway.cli._averages import average_heads

        average_heads(predictor, file, part, examples, kind, html, json)
        return 0
    given = text if text is not None else _example(predictor, file, number)
    view = predictor.inspect(given, target=target, mode=mode, attributions=attributions, outputs=output or None)
    picture = view.picture(kind, layer, head) if view.maps else None
    if html is not None:
        _write(html, _fitting(view, kind, layer, head).html().encode())
    if figure is not None:
        _save(view.figure(kind, layer, head), figure)
    if json:
        print(json_.dumps(view.as_json(), ensure_ascii=False))
        return 0
    _show(view, picture)
    for path in (html, figure):
        if path is not None:
            print(f"written: {path}")
    return 0


def _example(predictor: Any, file: Path | None, number: int) -> Any:
    """The example of that number, as `headway predict` would read the file. Raises UsageError."""
    from headway.cli._answers import read_inputs

    assert file is not None
    if number < 1:
        raise UsageError(f"--number counts from 1, and is {number}")
    ((examples, _),) = read_inputs(predictor, [file], (), None, None)
    found = next(islice(examples, number - 1, None), None)
    if found is None:
        raise UsageError(f"--number {number}: {file_name(file)} has fewer examples")
    return found


def _fitting(view: Any, kind: str | None, layer: int | None, head: int | None) -> Any:
    """All of a view, or what was chosen of it where a page has no room for all."""
    from headway.inspection.page import MOST

    return view if view.size <= MOST else view.only(kind, layer, head)


def _show(view: Any, picture: Any) -> None:
    from rich.console import Console

    from headway.cli._looking import looked

    console = Console(highlight=False)
    console.print(looked(view, picture, console.width), soft_wrap=True)


def _check_folder(path: Path | None) -> None:
    """Refuse at once what would be refused at the end."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{file_name(path)}: there is no folder {file_name(path.parent)}")


def _write(path: Path, content: bytes) -> None:
    from headway import storage

    storage.write(path, content)


def _save(figure: Any, path: Path) -> None:
    """Raises UsageError for an ending that matplotlib does not write."""
    known = figure.canvas.get_supported_filetypes()
    if path.suffix.lstrip(".").lower() not in known:
        raise UsageError(f"{file_name(path)}: a figure ends in one of .{', .'.join(sorted(known))}")
    figure.savefig(path)
