"""`headway train`."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from headway.cli._launching import is_launched, launched, obey
from headway.cli._options import Json, Settings, SkipBad, assigned
from headway.errors import UsageError


def train(
    data: Path | None = None,
    /,
    *,
    out: Path | None = None,
    recipe: str | None = None,
    config: Path | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    start: Annotated[Path | None, Parameter(name="--from")] = None,
    seed: int | None = None,
    cache: Path | None = None,
    processes: int = 1,
    restarts: int = 0,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    verify_resume: Annotated[bool, Parameter(negative="")] = False,
    skip_bad: SkipBad = False,
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Train on a data set and write a run folder.

    The question (tag, classify, regress, transduce), the tokenizer and a fitting
    size are recognized from the data and said; every one of them can be set.
    Ctrl-C saves and says how to go on.

      headway train news --out tagger
      headway train reviews.tsv --out judge --model.encoder.layers 4
      headway train pairs --data.source en --data.target de --out translator
      headway train news --out tagger --resume
      headway train news --out tagger --processes 4
      torchrun --nnodes 2 ... -m headway train news --out tagger
      headway train news --dry-run
      headway train news --verify-resume

    Parameters
    ----------
    data
        A folder with train.*, valid.*, test.*, or one file; or name files: --data.train F --data.valid F --data.test F.
    out
        The run folder to write.
    recipe
        A preset, of `headway list recipes`; that of the question where none is given.
    config
        A YAML file of settings; options win over it.
    resume
        Go on where the run folder stopped; begin where there is nothing to go on with.
    start
        A run folder to take the weights from: go on with an own model on new data or labels.
    seed
        Of weights, order and dropout: short for --machine.seed.
    cache
        Where a training part too large for memory is prepared, and stays; without it that is beside the run folder, and
        goes when training has ended.
    processes
        Train with so many processes of this machine, a GPU or a share of the cores each; torchrun does it on several.
        An update is the same, divided among them.
    restarts
        How often all processes go on from the last checkpoint after one of them was lost.
    dry_run
        Train and write nothing: say what it would take, parameters, memory and time, from a few updates.
    verify_resume
        Show in about a minute that this training, killed and resumed, is the one that was never stopped, or say what
        differs (exit code 1): its first updates are made left alone and killed twice. Nothing is kept; --out is not
        needed, and says only beside which folder the files are written meanwhile.
    """
    if skip_bad:
        settings = (*settings, "data.on_bad=skip")
    how: dict[str, Any] = {"recipe": recipe, "config": config, "start": start, "seed": seed}
    if processes < 1 or restarts < 0 or (processes == 1 and restarts):
        raise UsageError("--processes is a number from 1, and --restarts one from 0, for several processes")
    if processes > 1 and (dry_run or verify_resume):
        raise UsageError("--dry-run and --verify-resume are of one process: leave out --processes")
    if verify_resume:
        return _resume_verified(data, out, resume or dry_run, json, settings, cache=cache, **how)
    if dry_run:
        return _rehearsed(data, resume, json, settings, **how)
    if out is None:
        raise UsageError("--out is missing: the run folder to write; --dry-run trains and writes nothing")
    if processes > 1:
        return launched([*_options(data, out, resume, cache, json, settings, **how)], processes, restarts)
    if is_launched():
        obey()
    return _trained(data, out, resume, json, settings, cache=cache, **how)


def _trained(data: Path | None, out: Path, resume: bool, json: bool, settings: Sequence[str], **how: Any) -> int:
    """The training itself; of several processes the first one speaks."""
    from headway.cli._display import display
    from headway.cli._tables import print_outcome
    from headway.experiment import train as run

    show = display()
    with contextlib.closing(show), _stopped_by_signals() as (received, prepared):
        how |= {"listener": show, "prepared": prepared}
        outcome = run(data, out, resume=resume, settings=assigned(settings), **how)
    first = os.environ.get("RANK", "0") == "0"
    if outcome.stopped:
        step = f"{outcome.facts['step']:,}"
        if first:
            show.said(f"stopped at step {step}; everything is saved. Go on with the same command and --resume")
        return 128 + (received or [signal.SIGTERM])[0]  # or another process received it
    if first:
        print_outcome(outcome, data, json)
    return 0


def _options(
    data: Path | None, out: Path, resume: bool, cache: Path | None, json: bool, settings: Sequence[str], **how: Any
) -> Iterator[str]:
    """The same on the command line, for each of several processes."""
    yield from () if data is None else (str(data),)
    named = {"out": out, "recipe": how["recipe"], "config": how["config"], "from": how["start"], "seed": how["seed"]}
    for name, value in {**named, "cache": cache}.items():
        yield from () if value is None else (f"--{name}={value}",)
    yield from [f"--{name}" for name, asked in {"resume": resume, "json": json}.items() if asked]
    yield from [f"--set={pair}" for pair in settings]


def _resume_verified(
    data: Path | None, out: Path | None, other: bool, json: bool, settings: Sequence[str], **how: Any
) -> int:
    """The demonstration that a resume of a training with these options is exact."""
    from headway.cli._resuming import verified_resume

    if other:
        raise UsageError("--verify-resume is a training of its own: leave out --resume and --dry-run")
    return verified_resume(data, out, assigned(settings), json, **how)


def _rehearsed(data: Path | None, resume: bool, json: bool, settings: Sequence[str], **how: Any) -> int:
    """The dry run of a training with these options."""
    from headway.cli._display import display
    from headway.cli._rehearsing import print_rehearsal
    from headway.rehearsal import rehearse

    if resume:
        raise UsageError("--dry-run is for what is not begun yet: leave out --resume")
    with contextlib.closing(display()) as show:
        found = rehearse(data, settings=assigned(settings), listener=show, **how)
    print_rehearsal(found, json)
    return 0


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[tuple[list[int], Callable[[Any], None]]]:
    """(the signal received, if one was; what is called with the trainer): the first signal asks it to stop."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def prepared(trainer: Any) -> None:
        def stop(number: int, frame: object) -> None:
            if received:  # the second time: at once
                raise KeyboardInterrupt
            received.append(number)
            trainer.stop.set()

        for number in before:
            signal.signal(number, stop)

    try:
        yield received, prepared
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
