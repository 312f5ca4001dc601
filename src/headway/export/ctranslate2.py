"""CTranslate2 (Klein et al. 2020): an engine in C++ for Transformers that write, with weights of 8 bits as well.

The weights go straight into CTranslate2's specification. What it has no place for is refused: mixers that are no
attention, scores that are no dot product of two matrices, normalizers but softmax, gates, windows, alibi.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from headway.batch import END, Example
from headway.data.encoding import encode
from headway.data.tokenizers import Tokenizer
from headway.decoders import TargetSizes
from headway.errors import MissingPackage, RunError, UsageError, printable
from headway.export import ABOUT, FORMAT, Engine, Exporter, Written
from headway.export._agreement import limits_of
from headway.export._transformer import refuses, specification
from headway.predictor import Predictor
from headway.run import Run, build_codecs
from headway.settings import Branch, assignments, resolve
from headway.storage import MANIFEST, read_json, verified

BATCH = 32
"""Rows that go through the model together."""
POSITIONS = 1024
"""Positions that are told apart at least, where a table tells them apart."""


class Settings(Branch):
    quantization: Literal["float32", "int8"] = "float32"
    "How the weights are kept and multiplied: as they are, or as whole numbers of 8 bits, a quarter of the size."


class CTranslate2(Exporter):
    package = "ctranslate2"

    def __init__(self, settings: Settings):
        self.settings, self.exact = settings, settings.quantization == "float32"

    def refuses(self, predictor: Predictor) -> str | None:
        return refuses(predictor.model)

    def write(self, predictor: Predictor, folder: Path) -> None:
        codecs, longest = predictor.codecs, predictor.run.data.max_length
        positions = [max(POSITIONS, count) for count in (longest, _sizes(codecs).limit(longest) + 2)]  # BEGIN and END
        model = predictor.folders[0].load()[2]  # its own: CTranslate2 quantizes the very numbers that it is given
        spec = specification(model, names_of(codecs), positions)
        spec.validate()
        spec.optimize(None if self.exact else self.settings.quantization)
        spec.save(str(folder))

    def read(self, predictor: Predictor, folder: Path) -> "CTranslate2Engine":
        return CTranslate2Engine(folder, names_of(predictor.codecs), predictor.machine.threads or 1)


class CTranslate2Engine(Engine):
    """The model of a folder, loaded once."""

    def __init__(self, folder: Path, names: Sequence[list[str]], threads: int = 1, replicas: int = 1):
        import ctranslate2

        self.reads, self.writes = names
        self.numbers = {name: number for number, name in enumerate(self.writes)}
        self.model = ctranslate2.Translator(
            str(folder), device="cpu", inter_threads=replicas, intra_threads=threads, compute_type="default"
        )

    def write(
        self,
        rows: Sequence[NDArray],
        limits: Sequence[int],
        beam: int = 1,
        length_penalty: float = 0.0,
        batch: int = BATCH,
    ) -> list[Written]:
        """One sequence a row, of at most so many tokens; rows of like length go through the model together.

        A row without elements is written as an empty sequence: CTranslate2 reads no empty source.
        """
        order = [row for row in sorted(range(len(rows)), key=lambda row: len(rows[row])) if len(rows[row])]
        groups = [order[start : start + batch] for start in range(0, len(order), batch)]
        waiting = [self._begin([rows[i] for i in g], max(limits[i] for i in g), beam, length_penalty) for g in groups]
        found = [Written((), True)] * len(rows)
        for group, results in zip(groups, waiting, strict=True):
            for row, result in zip(group, results, strict=True):
                found[row] = _cut([self.numbers[name] for name in result.result().hypotheses[0]], limits[row])
        return found

    def score(self, rows: Sequence[NDArray], targets: Sequence[Sequence[int]]) -> list[list[float]]:
        """The log probability of every token of a given target, END's last; no row may be without elements."""
        sources = [[self.reads[number] for number in row.tolist()] for row in rows]
        given = [[self.writes[number] for number in target] for target in targets]
        found = self.model.score_batch(sources, given, max_batch_size=BATCH, max_input_length=0)
        return [result.log_probs for result in found]

    def _begin(self, rows: Sequence[NDArray], limit: int, beam: int, length_penalty: float) -> list[Any]:
        return self.model.translate_batch(
            [[self.reads[number] for number in row.tolist()] for row in rows],
            beam_size=beam,
            length_penalty=length_penalty,
            max_decoding_length=limit + 1,
            max_input_length=0,
            min_decoding_length=0,
            return_end_token=True,
            asynchronous=True,
        )


def _cut(tokens: list[int], limit: int) -> Written:
    """A sequence with its END -> without it, and no longer than the limit."""
    if tokens and tokens[-1] == END and len(tokens) <= limit + 1:
        return Written(tuple(tokens[:-1]), True)
    return Written(tuple(tokens[:limit]), False)


class Translator:
    """An exported folder that answers: texts in, texts out, cut and joined by the run's own tokenizers."""

    def __init__(self, folder: Path | str, threads: int = 1, replicas: int = 1):
        """threads of each of so many replicas, which answer side by side. Raises RunError, MissingPackage."""
        about = _about(Path(folder))
        try:
            self.run = resolve(Run, [assignments(about["run_settings"], ABOUT)])[0]
            self.codecs = build_codecs(self.run, state=about["codecs"])
        except (KeyError, TypeError, UsageError) as error:
            raise RunError(f"{Path(folder) / ABOUT} is damaged: {printable(error)}") from error
        self.positions, self.writer = about.get("positions"), tokenizers_of(self.codecs)[1]
        try:
            self.engine = CTranslate2Engine(Path(folder), names_of(self.codecs), threads, replicas)
        except ModuleNotFoundError as error:
            raise MissingPackage(error.name or "ctranslate2", "export", "a folder of the export ctranslate2") from None

    def translate(
        self, texts: Sequence[str], beam: int = 1, batch: int = BATCH, length_penalty: float = 1.0
    ) -> list[str]:
        """One text each, in order.

        beam             sequences side by side; 1 is greedy
        batch            texts that go through the model together
        length_penalty   α in log p / length^α, which is CTranslate2's own
        """
        encoded = encode([Example(text) for text in texts], self.codecs, self.run.data, with_targets=False)
        rows = [encoded.sources[row] for row in range(len(encoded))]
        limits = limits_of(rows, _sizes(self.codecs), self.positions)
        found = self.engine.write(rows, limits, beam, length_penalty if beam > 1 else 0.0, batch)
        return [self.writer.decode(written.tokens) for written in found]


def translator(folder: Path | str, threads: int = 1, replicas: int = 1) -> Translator:
    """The folder of an export, ready to answer. Raises RunError, MissingPackage."""
    return Translator(folder, threads, replicas)


def tokenizers_of(codecs: Any) -> tuple[Tokenizer, Tokenizer]:
    """What cuts the source, and what joins the target, of a run that reads text and writes."""
    return codecs.source.tokenizer, codecs.target.tokenizer


def names_of(codecs: Any) -> list[list[str]]:
    """The elements of both vocabularies, by number."""
    return [tokenizer.names() for tokenizer in tokenizers_of(codecs)]


def _sizes(codecs: Any) -> TargetSizes:
    return codecs.target.sizes()["sizes"]


def _about(folder: Path) -> dict[str, Any]:
    """What an exported folder says of itself, all of it there and unchanged. Raises RunError."""
    if not (folder / ABOUT).is_file() or not (folder / MANIFEST).is_file():
        raise RunError(f"{folder} is no exported folder: it has no {ABOUT}; headway export makes one")
    verified(folder)
    about = read_json(folder / ABOUT)
    if not isinstance(about, dict) or about.get("export") != "ctranslate2":
        raise RunError(f"{folder} is no export to ctranslate2: {ABOUT} says {printable(about)}")
    if about.get("format") != FORMAT:
        raise RunError(f"{folder} has the format {printable(about.get('format'))}, and this headway reads {FORMAT}")
    return about
