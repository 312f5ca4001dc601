"""`headway predict`."""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from headway.cli._options import Json, SkipBad, warn_of
from headway.errors import UsageError, nearest


def predict(
    run: Path,
    /,
    *files: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    text: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False, allow_leading_hyphen=True)] = (),
    mode: str = "auto",
    scores: Annotated[bool, Parameter(negative="")] = False,
    nbest: int = 1,
    beam: int | None = None,
    length_penalty: float | None = None,
    candidates: int | None = None,
    tolerance: float | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    sampling_seed: int | None = None,
    prefix: str | None = None,
    alignments: Annotated[bool, Parameter(negative="")] = False,
    trace: Annotated[bool, Parameter(negative="")] = False,
    given: Annotated[bool, Parameter(negative="")] = False,
    together: Annotated[tuple[Path, ...], Parameter(name="--with", negative="")] = (),
    format: str | None = None,
    source: str | None = None,
    out: Path | None = None,
    processes: int | None = None,
    skip_bad: SkipBad = False,
    json: Json = False,
) -> int:
    """Answer with a trained run: one line per example, in order; columns for files in columns.

    The answers go to standard output, everything else to standard error:

      headway predict tagger --text "the dog barks"
      headway predict judge reviews.tsv --scores
      cat words.txt | headway predict speller -
      headway predict translator --text "a small dog" --mode verify --trace

    Parameters
    ----------
    run
        A run folder.
    files
        Files in any format that training reads (a target that is there is ignored); - is standard input, a text a line.
    text
        A text to answer; may be given several times.
    mode
        auto (the exact answer of greedy search, by the fastest exact way), or one of the run's modes: greedy, beam,
        sample, verify (greedy's answer, guessed and checked); with a draft also nat (all at once) and rerank; of a run
        that only writes all at once, nat.
    scores
        Print the probability beside each label, the log probability beside each sequence.
    nbest
        Hypotheses for each input, best first, tabs between them.
    beam
        Sequences side by side in mode beam; 5 where none is given.
    length_penalty
        In modes beam and rerank: 0 favours short outputs, 1 (the default) and more longer ones.
    candidates
        In mode rerank: sequences that are written at once, of which the decoder chooses; 5 where none is given.
    tolerance
        In mode verify: how much less probable (in log probability) a drafted token may be than the best; above 0 the
        answer may differ from greedy's.
    temperature
        In mode sample: below 1 the probable is drawn more often, above 1 less.
    top_k
        In mode sample: draw of so many most probable tokens only.
    top_p
        In mode sample: draw of the most probable tokens only that have this probability together.
    sampling_seed
        In mode sample: the same seed and inputs give the same answers.
    prefix
        What every new sequence must begin with.
    alignments
        Print for each written token the source element it looked at most (0-0 1-2 …).
    trace
        Show below each new sequence why it was written so, decision by decision.
    given
        Do not answer: print the log probability of the target that the file gives.
    together
        A further run folder; all answer together, as an ensemble.
    format
        The format of the files, of `headway list formats`; recognized where none is given.
    source
        The column or key of the source; that of the training where none is given.
    out
        A file for the answers, in place of standard output. It is written in pieces that are kept: after an
        interruption the same command goes on.
    processes
        With --out: processes that answer side by side, with one thread each; 1 where none are given. However many, the
        file is the same.
    """
    from headway.cli._answers import read_inputs, write_answers, write_scores
    from headway.data.loading import Complaints
    from headway.experiment import load
    from headway.planning import left_out
    from headway.predictor import AHEAD

    for file in files:
        if str(file).startswith("-") and str(file) != "-":
            raise UsageError(_no_option(str(file)))
    if bool(files) == bool(text):
        raise UsageError(
            "give files, or --text, and not both" if files else "nothing to answer: give files, - or --text"
        )
    how = {
        "mode": mode, "scores": scores, "nbest": nbest, "beam": beam, "length_penalty": length_penalty,
        "candidates": candidates, "tolerance": tolerance, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "sampling_seed": sampling_seed, "prefix": prefix, "alignments": alignments, "trace": trace,
    }  # fmt: skip
    if out is not None or processes is not None:
        if skip_bad:
            raise UsageError("--out holds an answer to every line, and --skip-bad leaves some out: take one of them")
        runs, shape = [run, *together], {"scores": scores, "nbest": nbest, "json": json}
        return _to_file(runs, files, out, processes, given, how, shape, format=format, source=source)
    predictor = load(run, *together)
    complaints = Complaints(skip_bad)
    inputs = read_inputs(predictor, files, text, format, source, complaints)
    if given:
        write_scores(predictor, inputs, json)
    else:
        warn_of(tolerance)
        waits = Path("-") in files and sys.stdin is not None and sys.stdin.isatty()
        for examples, columns in inputs:
            answers = predictor.stream(examples, 1 if waits else AHEAD, **how)
            write_answers(answers, scores=scores, nbest=nbest, columns=columns, json=json, at_once=waits)
    for sentence in left_out(complaints.taken, "--skip-bad"):
        print(sentence, file=sys.stderr)
    return 0


def _to_file(
    runs: Sequence[Path],
    files: Sequence[Path],
    out: Path | None,
    processes: int | None,
    given: bool,
    how: dict[str, Any],
    shape: dict[str, Any],
    **read: str | None,
) -> int:
    """Answer files into a file, piece by piece."""
    from headway.cli._sharded import answer_files, task_of
    from headway.data.files import check_file, is_pipe

    if out is None:
        raise UsageError("--processes write into a file: give --out")
    if processes is not None and processes < 1:
        raise UsageError(f"--processes must be at least 1, and is {processes}")
    if given or not files or any(map(is_pipe, files)):
        raise UsageError(
            "--out is for files that are answered: leave out --given and --text, and name files, not a pipe"
        )
    for file in files:
        check_file(file)
    warn_of(how["tolerance"])
    print(answer_files(task_of(runs, files, how, shape, **read), out, processes or 1), file=sys.stderr)
    return 0


def _no_option(name: str) -> str:
    """The complaint about what looks like an option and is none; `-` as a file keeps the parser from finding it."""
    if "." in name:
        return f"no option {name}: settings are for headway train, and a trained run keeps its own"
    known = [f"--{option.replace('_', '-')}" for option in inspect.signature(predict).parameters]
    meant = nearest(name.partition("=")[0], [*known, "--with"])
    return f"no option {name}" + (f". Did you mean {meant}?" if meant else f"; a file of that name is written ./{name}")
