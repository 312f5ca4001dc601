"""A trained run that answers: the one door for the command line, the server, export and inspection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from headway.batch import Answer, Example, Value
from headway.crossover import SIZES, keep, known, machine, measured, rows_to_verify
from headway.data.encoding import Encoded, encode
from headway.data.files import words
from headway.data.sources import SOURCES
from headway.decoders.autoregressive import Autoregressive
from headway.errors import UsageError
from headway.inspection import AttentionMap, Computation, Inspector, View
from headway.inspection.averages import Head, averaged
from headway.inspection.looking import Looked
from headway.inspection.maps import ROWS
from headway.machine import give_memory_back, set_up
from headway.run import RunFolder
from headway.search import Search, Watch
from headway.search.asking import OF_MODES, said, search_for
from headway.tasks.transduce import Transduce
from headway.training.evaluation import answers, measure, scores_of
from headway.training.settings import MachineSettings

AHEAD = 1024
"""Examples that a stream reads ahead, so that rows of like length can be answered together."""
ELEMENTS = 1_000_000
"""Characters, or words where words are given, that a stream reads ahead at most, beside those of the last example."""
TIDY = 8 * AHEAD
"""Examples after which a stream gives free memory back: a few milliseconds, and a peak that stays where it was."""

Given = str | Sequence[str] | Value | Mapping[str, Any] | np.ndarray | Example
"""A text or a file's name, its words, a sound, a graph (also as an object), vectors (also as an array), an example."""


class Predictor:
    """The model of one run folder, or of several as an ensemble, with all it needs to read and to answer."""

    def __init__(self, *folders: Path | str, machine: MachineSettings | None = None):
        """Raises RunError for a folder that is no whole run, UsageError for runs that do not fit together."""
        self.folders = [RunFolder(folder) for folder in folders]
        self.run, self.codecs, self.model = self.folders[0].load()
        self.machine = machine or MachineSettings(threads=self.run.machine.threads)
        self.device = set_up(self.machine, programs=16)  # hardly any two batches of a stream have one shape
        self.model.to(self.device)
        self.others = [self._further(folder) for folder in self.folders[1:]]
        self.task = self.run.task
        self.trained_on = self._training_format()

    def _further(self, folder: RunFolder):
        _, codecs, model = folder.load()
        if codecs.state() != self.codecs.state():
            raise UsageError(
                f"{folder.path} and {self.folders[0].path} make no ensemble: their vocabularies or labels differ; "
                "train both on the same data with different seeds"
            )
        return model.to(self.device)

    def _training_format(self) -> str | None:
        """The format of the training files; None where the folder does not say."""
        folder = self.folders[0]
        return folder.facts()["data"].get("format") if folder.environment.is_file() else None

    # ---------------------------------------------------------------------------------------------------- answering

    @property
    def modes(self) -> tuple[str, ...]:
        """The ways in which this run can answer; the first is what `auto` takes."""
        task = self.model.task
        return task.modes if isinstance(task, Transduce) else ("direct",)

    def predict(
        self,
        inputs: Given | Sequence[Given],
        *,
        mode: str = "auto",
        scores: bool = False,
        nbest: int = 1,
        beam: int | None = None,
        length_penalty: float | None = None,
        candidates: int | None = None,
        tolerance: float | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        sampling_seed: int | None = None,
        prefix: str | Sequence[str] | None = None,
        alignments: bool = False,
        trace: bool = False,
        limit: int | None = None,
        first: int = 0,
    ) -> list[Answer]:
        """One answer per input, in order.

        inputs          texts; for a tagger texts or lists of words
        mode            `auto`, or one of `modes`; a beam is taken by itself where nbest > 1 or `beam` is given
        scores          give probabilities: of each label, or the log probability of each sequence
        nbest           hypotheses for each input, of a beam at least as wide, or of as many candidates
        beam            sequences side by side in mode beam; 5 where none is given
        length_penalty  in modes beam and rerank: 0 favours short outputs, 1 (the default) and more longer ones
        candidates      of mode rerank: sequences that are written at once for each input; 5 where none is given
        tolerance       of mode verify: how much less probable than the best (in log probability) a drafted token may
                        be; above 0 the answer is not greedy's any more
        temperature     of mode sample: below 1 the probable is drawn more often, above 1 less
        top_k, top_p    of mode sample: only so many tokens; only the most probable that have this probability together
        sampling_seed   of mode sample: the same seed and the same inputs in the same order give the same answers
        prefix          what every new sequence must begin with; one for all, or one each
        alignments      give for each written token where in the source it looked most
        trace           give for each decision on the way what was decided, and what else might have been
        limit           tokens that a new sequence may have at most
        first           the number of the first input, where these are a part of more
        """
        examples, search = self.asked(
            inputs, mode=mode, scores=scores, trace=trace, nbest=nbest, beam=beam, length_penalty=length_penalty,
            candidates=candidates, tolerance=tolerance, temperature=temperature, top_k=top_k, top_p=top_p,
            sampling_seed=sampling_seed, prefix=prefix, alignments=alignments, limit=limit, first=first,
        )  # fmt: skip
        return self.answered(examples, search)

    def asked(
        self,
        inputs: Given | Sequence[Given],
        *,
        mode: str = "auto",
        prefix: str | Sequence[str] | None = None,
        alignments: bool = False,
        first: int = 0,
        **how: Any,
    ) -> tuple[list[Example], Search]:
        """What `predict` is asked, read and checked, so that `answered` can take it with what others ask."""
        if isinstance(inputs, (str, Value, Example, Mapping, np.ndarray)):
            inputs = [inputs]
        examples = [self._example(given) for given in inputs]
        search = self._search(mode, **{"nbest": 1, **how})
        if prefix is not None:
            search = replace(search, prefixes=self._prefixes(prefix, len(examples)))
        if alignments:
            self._autoregressive("an alignment")
            search = replace(search, alignments=True)
        if search.mode == "sample":
            search = replace(search, numbers=range(first, first + len(examples)))
        return examples, search

    def answered(self, examples: Sequence[Example], search: Search) -> list[Answer]:
        """One answer for each example that `asked` has read."""
        encoded = encode(examples, self.codecs, self.run.data, with_targets=False)
        return answers(self.model, self.codecs, encoded, examples, search, self._budget, self.device, self.others)

    @property
    def _budget(self) -> int:
        """Padded tokens that go through the model at once."""
        return self.machine.micro_tokens or self.run.training.tokens

    def stream(self, examples: Iterable[Example], ahead: int = AHEAD, **how) -> Iterator[tuple[Example, Answer]]:
        """(example, answer) one after another, in order; memory does not grow with their number.

        ahead    examples that are read before they are answered; 1 for a person who waits for each answer
        """
        since = first = 0
        for chunk in chunks(examples, ahead):
            self.codecs.source.refresh()
            if since >= TIDY:
                give_memory_back()
                since = 0
            since += len(chunk)
            yield from zip(chunk, self.predict(chunk, **how, first=first), strict=True)
            first += len(chunk)

    def score(self, pairs: Sequence[tuple[Given, str]]) -> list[list[float]]:
        """The log probability of every token of a given target (END's last), for each (source, target)."""
        decoder = self._autoregressive("scoring a given target")
        examples = [replace(self._example(source), target=target) for source, target in pairs]
        encoded = encode(examples, self.codecs, self.run.data)
        return scores_of(self.model, decoder, self.codecs, encoded, self._budget, self.device)

    def evaluate(self, examples: Sequence[Example], **how) -> tuple[dict[str, float], dict[str, str], list[Answer]]:
        """(metrics by name, the signature of each, the answers) on examples whose targets are known.

        In mode auto, where a draft gives the choice, it is first measured which exact way is faster on this machine,
        unless that is known: here is time for it, and training comes by.
        """
        if how.get("mode", "auto") == "auto" and self._has_draft and machine(self.device) not in known(self.path):
            self.measure_crossover(examples)
        found = self.predict(examples, **how)
        metrics = measure(self.model.task.metrics, found, examples)
        values = {name: metric.value() for name, metric in metrics.items()}
        return values, {name: metric.signature() for name, metric in metrics.items()}, found

    def attention(
        self,
        inputs: Given | Sequence[Given],
        *,
        part: str = "encoder",
        layers: int | Sequence[int] | None = None,
        heads: int | Sequence[int] | None = None,
        targets: str | Sequence[str] | None = None,
    ) -> list[AttentionMap]:
        """Where the model looks, exactly: one map per input, in order; of an ensemble, of its first run.

        part       `encoder`; of a run that writes sequences also `decoder` (what is written looks at itself) and
                   `cross` (it looks at the input)
        layers     which, from 0; all where none are given
        heads      which, from 0; all where none are given
        targets    what is written, for each input; the model's own greedy answer where none is given
        """
        if isinstance(inputs, (str, Value, Example, Mapping, np.ndarray)):
            inputs = [inputs]
        examples = [self._example(given) for given in inputs]
        inspector = Inspector(self.model, self.codecs, part, layers, heads)
        if targets is not None:
            if part == "encoder":
                raise UsageError("targets are written, and the encoder only reads: choose part decoder or cross")
            each = [targets] if isinstance(targets, str) else list(targets)
            if len(each) != len(examples):
                raise UsageError(f"{len(each)} targets for {len(examples)} inputs: give one each")
            examples = [replace(example, target=target) for example, target in zip(examples, each, strict=True)]
        return inspector.maps(self._whole(examples, targets is not None), examples, self.device)

    def inspect(
        self,
        given: Given,
        *,
        target: str | None = None,
        mode: str = "auto",
        layers: int | Sequence[int] | None = None,
        heads: int | Sequence[int] | None = None,
        attributions: bool = False,
        outputs: int | Sequence[int] | None = None,
    ) -> View:
        """Why it answered so: the answer, where every layer looked, and how it was decided; of an ensemble's first run.

        target          what is written instead of the model's own answer
        mode            how a new sequence is found, as in `predict`
        layers          which layers of every part, from 0; all where none are given
        heads           which heads, from 0; all where none are given
        attributions    also how much each element added to each output, by integrated gradients (needs captum)
        outputs         of attributions: to which outputs, from 0; the first dozen where none are given

        The view draws itself in notebooks, and by `html()` and `figure()`; `as_json()` is all of it as plain data.
        """
        looked = self.look(given, target=target, mode=mode)
        view = looked.view(layers, heads)
        if not attributions:
            return view
        return replace(view, attributions=looked.attributions([outputs] if isinstance(outputs, int) else outputs))

    def computation(
        self,
        given: Given,
        part: str = "encoder",
        layer: int = 0,
        head: int = 0,
        *,
        target: str | None = None,
        mode: str = "auto",
    ) -> Computation:
        """One head by its numbers: q, k and v, scores, weights, weighted sums; of an ensemble's first run.

        part      encoder; of a run that writes sequences also `decoder` and `cross`
        target    what is written instead of the model's own answer; `mode` says how that is found
        """
        return self.look(given, target=target, mode=mode).computation(part, layer, head)

    def look(
        self, given: Given, *, target: str | None = None, mode: str = "auto", watch: Watch | None = None
    ) -> Looked:
        """One input, of which `inspect` and `computation` tell; whoever wants both has it answered once.

        watch    is called while it is answered and explained, and ends that by what it raises
        """
        example = self._with_target(given, target)
        writes = isinstance(self.model.task, Transduce)
        search = self._search(mode, nbest=1, scores=True, trace=writes and target is None)
        encoded = self._whole([example], target is not None)
        return Looked(self.run, self.codecs, self.model, encoded, example, replace(search, watch=watch))

    def _with_target(self, given: Given, target: str | None) -> Example:
        """An input as it is read, with what is given as written. Raises UsageError for a run that reads no target."""
        example = self._example(given)
        if target is None:
            return example
        self._autoregressive("a given target")
        return replace(example, target=target)

    def averages(self, inputs: Sequence[Given], part: str = "encoder") -> list[Head]:
        """What the heads of a part do over many inputs, those with a role first; targets are read where all have one.

        part       encoder; of a run that writes sequences also `decoder` and `cross`
        """
        inspector = Inspector(self.model, self.codecs, part)

        def maps() -> Iterator[AttentionMap]:
            for chunk in chunks(map(self._example, inputs), ROWS):
                yield from inspector.maps(self._whole(chunk, part != "encoder"), chunk, self.device)

        return averaged(part, maps(), ordered=self.run.kind != "graph")

    def _whole(self, examples: Sequence[Example], with_targets: bool) -> Encoded:
        """Rows of numbers, one for each example. Raises UsageError where one would be read in several windows."""
        encoded = encode(examples, self.codecs, self.run.data, with_targets=with_targets)
        if len(encoded) != len(examples):
            raise UsageError(
                f"an input has more than {self.run.data.max_length} elements and is read in several windows, each with "
                "an attention of its own: give a shorter one"
            )
        return encoded

    # ------------------------------------------------------------------------------------------------------- inside

    def _search(self, mode: str, **asked: Any) -> Search:
        """What is asked, as this run can do it. Raises UsageError."""
        if self.modes == ("direct",):
            if asked["nbest"] > 1:
                raise UsageError(f"an n-best list is for new sequences, and this run answers {self.task}; use scores")
            for name in ("trace", *OF_MODES):
                if asked.get(name):
                    raise UsageError(f"{said(name)} is for new sequences, and this run answers {self.task}")
        search = search_for(self.modes, mode, together=bool(self.others), **asked)
        return replace(search, verify_rows=self.verify_rows) if search.mode == "auto" else search

    @cached_property
    def verify_rows(self) -> int:
        """Batches of at most so many rows are drafted and verified in mode auto; larger ones are written in steps."""
        return rows_to_verify(self.path, machine(self.device)) if self._has_draft else 0

    @property
    def _has_draft(self) -> bool:
        """Whether what it writes can be drafted and verified by the run itself."""
        return "rerank" in self.modes and not self.others

    @property
    def path(self) -> Path:
        """The folder of the run; of an ensemble, of the first."""
        return self.folders[0].path

    def measure_crossover(self, examples: Sequence[Example]) -> dict[str, Any] | None:
        """Measure on some examples up to which batch size verifying is faster here, and keep it beside the run.

        None where there is nothing to choose: no draft, an ensemble, no examples.
        """
        if not self._has_draft or not examples:
            return None
        some = [self._example(example) for example in examples[: max(SIZES)]]
        found = measured(lambda mode, rows: self.answered(some[:rows], self._search(mode, nbest=1)), len(some))
        keep(self.path, machine(self.device), found)
        self.__dict__["verify_rows"] = found["rows"]
        return found

    def _prefixes(self, prefix: str | Sequence[str], count: int) -> list[list[int]]:
        self._autoregressive("a forced prefix")
        each = [prefix] * count if isinstance(prefix, str) else list(prefix)
        if len(each) != count:
            raise UsageError(f"{len(each)} prefixes for {count} inputs: give one for all, or one each")
        target = self.codecs.target
        return [ids.tolist() for ids in target.encode_all(each)]

    def _autoregressive(self, purpose: str) -> Autoregressive:
        task = self.model.task
        if not (isinstance(task, Transduce) and isinstance(task.decoder, Autoregressive)):
            raise UsageError(f"{purpose} needs a run that writes with an autoregressive decoder, and this one does not")
        return task.decoder

    def _example(self, given: Given) -> Example:
        """An input as readers give it; a tagger's elements are the words that blanks part."""
        example = (
            given
            if isinstance(given, Example)
            else Example(tuple(given) if isinstance(given, (tuple, list)) else given)
        )
        example = SOURCES.part(self.run.kind).opened(example, self.run.data)
        if self.task == "tag" and isinstance(example.source, str):
            return replace(example, source=words(example.source))
        return example


def chunks(examples: Iterable[Example], ahead: int) -> Iterator[list[Example]]:
    """The examples in lists of so many, of fewer where they are long."""
    chunk: list[Example] = []
    elements = 0
    for example in examples:
        chunk.append(example)
        elements += len(example.source)
        if len(chunk) >= ahead or elements >= ELEMENTS:
            yield chunk
            chunk, elements = [], 0
    if chunk:
        yield chunk
