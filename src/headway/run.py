"""Run = model + data + training + machine: a whole experiment as one value, and the folder that keeps it.

run.yaml                  every setting, with where its value came from
codecs.json               tokenizers, vocabularies, labels
weights-000001234.safetensors    the best weights, by the step they are from
manifest.json             which files these are, their checksums, the version of this format
environment.json          versions, machine, data: what the figures were made with
metrics.jsonl             what happened, a line an event
report.html               the same to look at
checkpoints/              what training goes on from
"""

import hashlib
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from torch import Tensor

from headway import settings, storage
from headway.data.codecs import Classes, Numbers, Sequences, Tags, TargetCodec
from headway.data.encoding import Codecs
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES, SourceCodec
from headway.data.sources.text import SourceText
from headway.data.tokenizers import TOKENIZERS, Tokenizer, tokenizer_of
from headway.errors import RunError, UsageError, printable
from headway.inputs import INPUTS
from headway.model import Model, ModelSettings
from headway.settings import KIND, Branch
from headway.settings_file import read_yaml
from headway.tasks import TASKS
from headway.training.settings import MachineSettings, TrainingSettings
from headway.version import RUN_FORMAT, __version__


class Run(Branch):
    """The tree of settings."""

    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings()
    machine: MachineSettings = MachineSettings()

    @property
    def task(self) -> str:
        """The question: tag, classify, regress or transduce."""
        return TASKS.name_of(self.model.task)

    @property
    def kind(self) -> str:
        """What goes in: text, sound, graph or vectors."""
        return INPUTS.name_of(self.model.input)


# ------------------------------------------------------------------------------------------------------------ building


def build_codecs(
    run: Run, several: bool = False, metrics: Sequence[str] = (), state: Mapping[str, Any] | None = None
) -> Codecs:
    """Both sides' codecs.

    several    whether a row may have several labels
    metrics    what the data suggest a new sequence is measured by
    state      what a run folder kept of a side ("source", "target"); a side without it must be fitted
    """
    source_state, target_state = (state or {}).get("source"), (state or {}).get("target")
    source: SourceCodec = SOURCES.part(run.kind).made(run.data, run.model.input, source_state)
    target: TargetCodec
    if run.task == "tag":
        target = Tags(target_state)
    elif run.task == "classify":
        target = Classes(bool(target_state["several"]) if target_state else several, target_state)
    elif run.task == "regress":
        target = Numbers(target_state)
    else:
        if run.data.joint:
            writer = _shared_tokenizer(source)
        else:
            chosen = run.data.target_tokenizer or run.data.tokenizer or TOKENIZERS.choose("word")
            writer = tokenizer_of(chosen, target_state and target_state["tokenizer"])
        target = Sequences(writer, run.data.joint, target_state["metrics"] if target_state else metrics, target_state)
    return Codecs(source, target)


def _shared_tokenizer(source: SourceCodec) -> Tokenizer:
    """The tokenizer of the source, which writes, too. Raises UsageError where the source is no text."""
    if not isinstance(source, SourceText):
        raise UsageError("data.joint is one vocabulary for sources and targets, and sources that are no text have none")
    return source.tokenizer


def build_model(run: Run, codecs: Codecs) -> Model:
    """A model of the sizes that the data decided, with weights to begin with."""
    return Model(run.model, codecs.source.sizes, codecs.target.sizes())


# --------------------------------------------------------------------------------------------------------- the folder


class RunFolder:
    """Where the files of a run lie."""

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.jsonl"
        self.report = self.path / "report.html"
        self.environment = self.path / "environment.json"

    def exists(self) -> bool:
        """Whether something is there that a new run would overwrite."""
        return self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))

    def create(self, run: Run, origins: Mapping[str, str], codecs: Codecs, environment: Mapping[str, Any]) -> None:
        """Write what is known before the first step, with its checksums in environment.json. Raises RunError."""
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.path} cannot be made: {error.strerror}") from error
        storage.sweep(self.path)
        text = as_yaml(run, origins).encode()
        storage.write_json(self.path / "codecs.json", codecs.state())
        files = {
            "codecs.json": storage.checksum(self.path / "codecs.json"),
            "run.yaml": hashlib.sha256(text).hexdigest(),
        }
        storage.write_sealed(self.environment, {**environment, "files": files})
        storage.write(self.path / "run.yaml", text)  # last: where it is, a run was begun

    def begun(self) -> bool:
        """Whether there is something to go on with, unchanged since it was begun. Raises RunError where it is not."""
        if not (self.path / "run.yaml").is_file():
            if any(self.checkpoints.glob("step-*")):
                raise RunError(f"{self.path / 'run.yaml'} is missing, and there are checkpoints of a run that it began")
            return False
        for name, expected in self.facts().get("files", {}).items():
            if storage.checksum(self.path / name) != expected:
                raise RunError(f"{self.path / name} is damaged: its checksum is not the one in {self.environment.name}")
        return True

    def keep(self, weights: Mapping[str, Tensor], step: int, extra: bool = False) -> None:
        """Make these the weights of the run: a new file, then the manifest that names it, then the old one goes.

        extra    the old one stays for a training that goes on as if these had never been: see `take_back`
        """
        name = f"weights-{step:09d}.safetensors"
        before = storage.verified(self.path) if extra and (self.path / storage.MANIFEST).is_file() else {}
        storage.write_tensors(self.path / name, weights, {"headway": __version__})
        self._seal(name, step, {"before": before.get("weights"), "before_step": before.get("step")} if extra else {})
        for old in self.path.glob("weights-*.safetensors"):
            if old.name not in (name, before.get("weights")):
                old.unlink(missing_ok=True)

    def take_back(self) -> None:
        """Undo a `keep` that was extra, but for the first of all: it is better than none. Raises RunError."""
        manifest = self.manifest()
        if manifest.get("before") is not None:
            self._seal(manifest["before"], manifest["before_step"], {})
            (self.path / manifest["weights"]).unlink(missing_ok=True)

    def _seal(self, name: str, step: int, more: Mapping[str, Any]) -> None:
        files = ["run.yaml", "codecs.json", name, *([more["before"]] if more.get("before") else [])]
        storage.seal(self.path, files, format=RUN_FORMAT, headway=__version__, weights=name, step=step, **more)

    def load(self) -> tuple[Run, Codecs, Model]:
        """The run, its codecs and its model with the best weights. Raises RunError with what is missing or damaged."""
        manifest = self.manifest()
        run = self.settings()
        codecs = self.codecs(run)
        try:
            model = build_model(run, codecs)
        except (UsageError, RuntimeError) as error:
            raise RunError(f"{self.path} makes no model: {error}") from error
        weights = self.path / manifest["weights"]
        storage.load_into(model, storage.read_tensors(weights), weights)
        return run, codecs, model.eval()

    def manifest(self) -> dict[str, Any]:
        """What belongs to the run, all of it there and unchanged. Raises RunError."""
        if not self.path.is_dir():
            raise RunError(f"{self.path} is no run folder: there is no such folder")
        if not (self.path / storage.MANIFEST).is_file():
            raise RunError(
                f"{self.path} is no finished run folder: it has no {storage.MANIFEST}; a training that was stopped "
                "before its first evaluation goes on with headway train ... --resume"
            )
        path = self.path / storage.MANIFEST
        told = storage.read_json(path)
        written = told.get("format") if isinstance(told, dict) else None
        if not isinstance(written, int):
            raise RunError(f"{path} is damaged: it names no format")
        if written > RUN_FORMAT:
            raise RunError(
                f"{self.path} has format {written}, and headway {__version__} reads formats up to {RUN_FORMAT}: "
                f"it was written by headway {printable(told.get('headway'))}, so a newer headway reads it"
            )
        manifest = storage.verified(self.path)
        for name in ("run.yaml", "codecs.json", str(manifest.get("weights"))):
            if name not in manifest["files"]:
                raise RunError(f"{path} is damaged: it does not name {printable(name)} among its files")
        return manifest

    def codecs(self, run: Run) -> Codecs:
        """Both sides' codecs as the run left them. Raises RunError."""
        try:
            return build_codecs(run, state=self.codec_state())
        except RunError:
            raise
        except Exception as error:  # the package tokenizers raises nothing narrower
            raise RunError(f"{self.path / 'codecs.json'} is damaged: {printable(repr(error))}") from error

    def codec_state(self) -> dict[str, Any]:
        """What the run keeps of its codecs. Raises RunError."""
        path = self.path / "codecs.json"
        state = storage.read_json(path)
        sides = [state.get(side) for side in ("source", "target")] if isinstance(state, dict) else []
        if not sides or not all(side and isinstance(side, dict) for side in sides):
            raise RunError(f"{path} is damaged: it holds no codecs")
        return state

    def facts(self) -> dict[str, Any]:
        """`environment.json`: what the run was made with. Raises RunError."""
        found = storage.read_sealed(self.environment)
        if not isinstance(found, dict) or not all(isinstance(found.get(name), dict) for name in ("machine", "data")):
            raise RunError(f"{self.environment} is damaged: it holds no facts about machine and data")
        return found

    def settings(self) -> Run:
        """The settings of the run. Raises RunError."""
        path = self.path / "run.yaml"
        try:
            return settings.resolve(Run, [read_yaml(path)])[0]
        except UsageError as error:
            raise RunError(f"{path} cannot be read by headway {__version__}:\n{error}") from error


def as_yaml(run: Run, origins: Mapping[str, str]) -> str:
    """The whole tree as YAML, each value that is not a default with where it came from."""
    yaml, text = YAML(), StringIO()
    yaml.width = 4096
    yaml.dump(_commented(run, origins, ""), text)
    return text.getvalue()


def _commented(branch: Branch, origins: Mapping[str, str], path: str) -> CommentedMap:
    node = CommentedMap()
    for name, value in settings.dump(branch).items():
        where = f"{path}{name}"
        below = getattr(branch, name)
        if isinstance(below, Branch):
            node[name] = _commented(below, origins, where + ".")
            if isinstance(value, dict) and KIND in value:
                node[name].insert(0, KIND, value[KIND])
                if where in origins:
                    node[name].yaml_add_eol_comment(origins[where], KIND)
        else:
            node[name] = value
            if where in origins:
                node.yaml_add_eol_comment(origins[where], name)
    return node
