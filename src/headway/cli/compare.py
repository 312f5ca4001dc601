"""`headway compare`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.cli._options import Json, Settings, assigned
from headway.errors import UsageError


def compare(
    data: Path | None = None,
    /,
    *,
    axis: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    out: Path = Path("comparison"),
    seeds: int = 3,
    time: str | None = None,
    tokens: int | None = None,
    steps: int | None = None,
    tune_learning_rate: Annotated[bool, Parameter(negative="")] = False,
    jobs: int = 1,
    show: Path | None = None,
    recipe: str | None = None,
    config: Path | None = None,
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Compare settings fairly on your own data: which differences are larger than chance?

    Every combination of the axes' values is trained with every seed on the same data and with the same budget, and
    measured on the same test items. Prints one table and what it says; DIR/compare.html shows it with curves.

      headway compare news --axis model.encoder.mixer=attention,convolution --time 5m
      headway compare news --axis model.encoder.layers=1,2,4 --axis model.encoder.width=64,128 --tokens 2000000 --jobs 2

    Each finished cell is kept: the same command goes on after an interruption, also in the middle of a cell, and other
    values reuse the cells that are the same. `headway compare --show DIR` prints the table of what is finished.

    Parameters
    ----------
    data
        A data set, as for `headway train`.
    axis
        A setting and the values to compare, PATH=a,b,c; several give every combination. The first arm is the one that
        differences are taken from.
    out
        The folder of the comparison.
    seeds
        Trainings of each arm.
    time
        The budget of each cell as training time: 90s, 5m, 1h. Without a budget, the recipe's passes over the data.
    tokens
        The budget as tokens trained on.
    steps
        The budget as updates of the weights.
    tune_learning_rate
        Choose the learning rate of every arm first: five short trainings each (1/4 to 4 times its own), by the valid
        part.
    jobs
        Cells side by side, with one thread each.
    show
        Print what is finished in the folder of a comparison, and train nothing.
    recipe
        A preset, of `headway list recipes`; that of the question where none is given.
    config
        A YAML file of settings; options win over it.
    """
    if show is not None:
        if data is not None or axis:
            raise UsageError(
                "--show prints a comparison that is there; leave out the data and --axis, or leave out --show"
            )
        from headway.cli._comparing import print_results
        from headway.lab.compare import results_of

        print_results(results_of(show), json)
        return 0
    from headway.cli._comparing import watching
    from headway.lab.compare.axes import axis_of

    asked = [axis_of(text) for text in axis]
    return watching(
        data,
        asked,
        out,
        json=json,
        seeds=seeds,
        time=time,
        tokens=tokens,
        steps=steps,
        tune_learning_rate=tune_learning_rate,
        jobs=jobs,
        recipe=recipe,
        config=config,
        settings=assigned(settings),
    )
