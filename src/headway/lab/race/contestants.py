"""Who races: a run in one of its modes, or a run that was exported to another program."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headway.batch import Example, TransduceAnswer
from headway.data.codecs import Sequences
from headway.errors import UsageError, file_name, unknown
from headway.predictor import Predictor
from headway.run import Run
from headway.search.asking import search_for
from headway.tasks.transduce import Transduce
from headway.training.settings import MachineSettings

EXPORTED = "headway.json"
"""The file by which an exported folder is known."""
LEFT_OUT = ("sample",)
"""Modes that race only where they are asked for: what is drawn at random is not measured by one draw."""

Answer = Callable[[Sequence[Example], int | None], list[TransduceAnswer]]
"""Answers to examples, in order; the number is that of examples which go through the model together, where set."""


@dataclass(frozen=True)
class Contestant:
    """One row of the table.

    folder       of the run, as it was given; `original` that of the run which an exported one was
    codec        of what it writes
    predictor    None for a run in another program
    greedy       how the same run answers greedily; None where it cannot, or is not there
    """

    folder: str
    mode: str
    run: Run
    codec: Sequences
    answer: Answer
    original: str = ""
    predictor: Predictor | None = None
    greedy: Answer | None = None


def contestants(folders: Sequence[Path], modes: Sequence[str], threads: int, beam: int | None) -> list[Contestant]:
    """All rows, run by run, each in its modes or in those of them that are asked for. Raises UsageError, RunError."""
    found: list[Contestant] = []
    known: list[str] = []
    for folder in folders:
        if (folder / EXPORTED).is_file():
            found.append(exported(folder, threads))
            continue
        predictor = Predictor(folder, machine=MachineSettings(threads=threads))
        if not isinstance(predictor.model.task, Transduce):
            raise UsageError(
                f"{file_name(folder)} answers {predictor.task}, and race is for runs that write sequences "
                "(transduce); headway evaluate measures it"
            )
        known += predictor.modes
        found += _in_modes(folder, predictor, modes, beam)
    for mode in modes:
        if mode not in known:
            raise UsageError(unknown("mode", mode, dict.fromkeys(known)))
    if not any(one.predictor for one in found):
        raise UsageError("a run that was exported races beside runs of headway's: give the one that it was, too")
    return [_known(one, found) for one in found]


def _in_modes(folder: Path, predictor: Predictor, modes: Sequence[str], beam: int | None) -> Iterator[Contestant]:
    greedy = _answer(predictor, "greedy", None) if "greedy" in predictor.modes else None
    for mode in predictor.modes:
        if mode in modes if modes else mode not in LEFT_OUT:
            width = beam if mode == "beam" else None
            search_for(predictor.modes, mode, beam=width)
            assert isinstance(predictor.codecs.target, Sequences)
            yield Contestant(
                str(folder),
                mode,
                predictor.run,
                predictor.codecs.target,
                _answer(predictor, mode, width),
                str(folder),
                predictor,
                greedy,
            )


def _answer(predictor: Predictor, mode: str, beam: int | None) -> Answer:
    machine = predictor.machine

    def answer(examples: Sequence[Example], together: int | None) -> list[TransduceAnswer]:
        budget = None if together is None else together * predictor.run.data.max_length
        predictor.machine = machine.replace(micro_tokens=budget)
        return predictor.predict(examples, mode=mode, beam=beam)  # pyright: ignore[reportReturnType]

    return answer


def exported(folder: Path, threads: int) -> Contestant:
    """A run that CTranslate2 answers with. Raises RunError, MissingPackage."""
    from headway.export.ctranslate2 import translator

    made = translator(folder, threads)
    codec = made.codecs.target
    assert isinstance(codec, Sequences)

    def answer(examples: Sequence[Example], together: int | None) -> list[TransduceAnswer]:
        how = {} if together is None else {"batch": together}
        texts = made.translate([example.source for example in examples], **how)
        rows = codec.encode_all(texts)
        return [
            TransduceAnswer(text, codec.tokenizer.pieces(row.tolist())) for text, row in zip(texts, rows, strict=True)
        ]

    return Contestant(str(folder), "ctranslate2", made.run, codec, answer)


def _known(one: Contestant, racing: Sequence[Contestant]) -> Contestant:
    """An exported run beside the run that it was, so that it is known what that writes greedily."""
    if one.predictor is not None:
        return one
    same = (other for other in racing if other.predictor is not None and other.run == one.run)
    own = next((other for other in same if other.codec.state() == one.codec.state()), None)
    return one if own is None else replace(one, original=own.original, greedy=own.greedy)
