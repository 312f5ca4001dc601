"""The whole way from a data set to a trained run, and the same as three functions: train, evaluate, load."""

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from headway.batch import Example
from headway.data.batching import padding_share
from headway.data.batching import plan as batches_of
from headway.data.checking import glance, in_short
from headway.data.codecs import Labels, Sequences
from headway.data.encoding import encode
from headway.data.loading import check_labels, open_data
from headway.data.sources.text import SourceText
from headway.data.vectors import read_vectors
from headway.errors import RunError, UsageError
from headway.machine import cores, description, differences, launch, peak_memory, set_up
from headway.outcome import Figures, Outcome, classical, measured, report
from headway.planning import Plan, codecs_for, plan, plan_again, setup_of, skipped
from headway.predictor import Predictor
from headway.preparation import Preparing
from headway.run import RunFolder, build_model
from headway.settings import Assignment, assignments
from headway.storage import MANIFEST, held_alone, sweep, take_over, verified
from headway.training import checkpoint
from headway.training.distributed import ALONE, Group, joined
from headway.training.events import EventLog, Listener, Sentences, TensorBoard, Together
from headway.training.loop import Examined, Keep, Trainer
from headway.training.unreached import unreached


def train(
    data: Path | str | None = None,
    out: Path | str = "run",
    *,
    recipe: str | None = None,
    config: Path | str | None = None,
    resume: bool = False,
    start: Path | str | None = None,
    seed: int | None = None,
    settings: Sequence[Assignment] | Mapping[str, Any] = (),
    listener: Listener | None = None,
    prepared: Callable[[Trainer], None] | None = None,
    baselines: bool = True,
    cache: Path | str | None = None,
) -> Outcome:
    """Train on a data set and write a run folder.

    data       a folder with train.*, valid.*, test.*, one file, or what `headway data prepare` wrote; None where the
               settings name the files
    out        the run folder; one that exists is refused unless `resume`
    recipe     a name of `headway list recipes`; that of the question where none is given
    config     a YAML file of settings
    resume     go on where the run folder stopped; begin where there is nothing to go on with
    start      a run folder whose weights are taken where they fit: an own model, with new data or labels
    settings   {"model.encoder.layers": 6}, or nested; they win over the file, and the file over the recipe
    listener   hears of progress
    prepared   is given the trainer before the first step; its `stop` ends training early
    baselines  whether classical methods are trained and measured beside it
    cache      where a training part too large for memory is prepared and stays; without it that is beside the run
               folder, and goes when training has ended

    Raises UsageError, DataError and RunError.
    """
    given = assignments(settings, "given") if isinstance(settings, Mapping) else list(settings)
    if seed is not None:
        given.append(Assignment("machine.seed", seed, "--seed"))
    folder, hear = RunFolder(out), listener or Listener()
    beside = folder.path.with_name(f"{folder.path.name}.prepared")
    preparing = Preparing(Path(cache or beside), workers=cores(), hear=hear.said)
    with joined() as group, contextlib.ExitStack() as held:
        if not group.first:
            return _follow(data, folder, config, given, preparing, group).run_to_end(prepared)
        resume = resume or group.restarted or _begun_by_this_launch(folder)
        if folder.exists() and not (resume and folder.path.is_dir()):
            raise UsageError(f"{folder.path} exists; choose another --out, or go on with it by --resume")
        going_on = resume and folder.begun()
        if going_on:
            made = plan_again(data, folder, config, given, preparing)
        else:
            made = plan(data, recipe, config, given, start, preparing)
        experiment = Experiment(made, folder, hear, baselines, group)
        earlier = RunFolder(start) if start is not None else None
        if going_on:
            held.enter_context(_alone(folder))
            experiment.go_on(earlier)
        else:
            experiment.begin(earlier)
            held.enter_context(_alone(folder))
        outcome = experiment.run_to_end(prepared)
    if cache is None and made.index is not None and made.index.folder == beside and not outcome.stopped:
        shutil.rmtree(beside, ignore_errors=True)
    return outcome


def _alone(folder: RunFolder) -> contextlib.AbstractContextManager[None]:
    """The folder for one training at a time. Raises RunError."""
    trained = f"{folder.path} is being trained by another process; stop that one, or wait for it"
    return held_alone(folder.path, RunError(trained))


def _begun_by_this_launch(folder: RunFolder) -> bool:
    """Whether torchrun has begun this run and starts its processes again, as it does when a machine is lost."""
    return launch() is not None and folder.begun() and folder.facts()["machine"].get("launch") == launch()


def _follow(
    data: Path | str | None,
    folder: RunFolder,
    config: Path | str | None,
    given: Sequence[Assignment],
    preparing: Preparing,
    group: Group,
) -> "Experiment":
    """What a process that is not the first has of the training that the first has begun, ready to run."""
    resume_from = group.of_first(None)
    if not folder.begun():
        raise RunError(f"{folder.path} is not the folder that the first process writes: all machines must see it")
    made = plan_again(data, folder, config, given, preparing)
    experiment = Experiment(made, folder, Listener(), baselines=False, group=group)
    experiment.follow(None if resume_from is None else folder.checkpoints / resume_from)
    return experiment


def load(*folders: Path | str) -> Predictor:
    """A trained run, ready to answer; several make an ensemble. Raises RunError."""
    return Predictor(*folders)


def evaluate(
    run: Path | str | Predictor, data: Path | str | None, part: str = "test", **how: Any
) -> tuple[dict[str, float], dict[str, str]]:
    """(metrics, their signatures) of a run on a part of a data set; one file is taken whole. Raises DataError."""
    predictor = run if isinstance(run, Predictor) else Predictor(run)
    examples = examples_for(predictor, data, part)
    values, signatures, _ = predictor.evaluate(examples, **how)
    return values, signatures


def examples_for(
    predictor: Predictor,
    data: Path | str | None,
    part: str,
    skip_bad: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> list[Example]:
    """The examples of a part as the run's question wants them; one file is taken whole, whatever the part.

    skip_bad   leave out lines that cannot be used, also where the run was not trained so
    say        is told of them
    """
    settings = predictor.run.data.replace(task=predictor.task, train=(), valid=(), test=())
    if skip_bad:
        settings = settings.replace(on_bad="skip")
    path = Path(data) if data is not None else None
    if path is not None and not path.is_dir():
        settings, path, part = settings.replace(test=(str(path),)), None, "test"
    found = open_data(path, settings, part, predictor.run.kind)
    examples = found.examples(part)
    for sentence in skipped(found):
        say(sentence)
    check_labels(examples, predictor.codecs.target, part)
    return examples


class Experiment:
    """One training: its plan, its data as numbers, its model, and what is measured when it is done."""

    def __init__(self, made: Plan, folder: RunFolder, hear: Listener, baselines: bool = True, group: Group = ALONE):
        self.group = group
        self.plan, self.run, self.folder, self.with_baselines = made, made.run, folder, baselines
        self.sentences, self.notes = Sentences(), dict[str, str]()
        self.hear = Together([self.sentences, hear])
        self.device = set_up(made.run.machine)
        for sentence in made.said:
            self.hear.said(sentence)

    def begin(self, start: RunFolder | None) -> None:
        """From the first step, with the weights of an earlier run where one is given."""
        self.prepare(start)
        self.resume_from = None
        parts = self.plan.data.parts
        data = {"fingerprint": self.plan.fingerprint, "format": parts.part("train").format, "how": parts.how}
        facts = {"machine": description(), "data": data}
        if start is not None:
            facts["from"] = {"path": str(start.path), "weights": weights_print(start)}
        self.folder.create(self.run, self.plan.origins, self.codecs, facts)

    def prepare(self, start: RunFolder | None) -> None:
        """All that is done before the first step; nothing is written yet."""
        self.codecs = codecs_for(self.plan, start)
        self._prepare()
        self._first_weights(start)

    def _first_weights(self, start: RunFolder | None) -> None:
        """Those of an earlier run as far as they fit, or given vectors, where the user wants that."""
        if start is not None:
            taken, new = take_over(self.model, self._weights_of(start))
            fresh = f"; new are {', '.join(new)}" if new else ""
            self.hear.said(f"{taken} of {taken + len(new)} tables and matrices are those of {start.path}{fresh}")
        elif (vectors := getattr(self.run.model.input, "vectors", None)) is not None:
            assert isinstance(self.codecs.source, SourceText)
            tokenizer = self.codecs.source.tokenizer
            found = read_vectors(Path(vectors), tokenizer, self.model.input.embedding)
            self.hear.said(f"{found:,} of {len(tokenizer):,} words begin with given vectors")

    def _weights_of(self, start: RunFolder) -> dict[str, Tensor]:
        """The weights of an earlier run; those of its task only where its labels are the same."""
        run, codecs, model = start.load()
        labels = [getattr(each.target, "labels", None) for each in (codecs, self.codecs)]
        same = run.task == self.run.task and labels[0] == labels[1]
        return {name: weight for name, weight in model.named_parameters() if same or not name.startswith("task.")}

    def go_on(self, start: RunFolder | None) -> None:
        """From where the folder stopped. Raises UsageError where the training data are others, and RunError."""
        facts = self._facts_of_same_data()
        for sentence in differences(facts["machine"]):
            self.hear.said(sentence)
        sweep(self.folder.path)
        sweep(self.folder.checkpoints)
        self.codecs = self.folder.codecs(self.run)
        self._prepare()
        self.resume_from = self._checkpoint()
        if self.resume_from is None:
            self._first_weights(self._start_again(start, facts.get("from")))
        where = f"step {checkpoint.read_progress(self.resume_from).step:,}" if self.resume_from else "the beginning"
        self.hear.said(f"going on with {self.folder.path} from {where}")

    def follow(self, resume_from: Path | None) -> None:
        """From where the first process goes on, or begins, with its weights.

        Raises UsageError where the training data are others here.
        """
        self._facts_of_same_data()
        self.codecs = self.folder.codecs(self.run)
        self._prepare()
        self.resume_from = resume_from

    def _facts_of_same_data(self) -> dict[str, Any]:
        """What the run was made with. Raises UsageError where its training data were others."""
        facts = self.folder.facts()
        if facts["data"].get("fingerprint") != self.plan.fingerprint:
            raise UsageError(f"{self.folder.path} was begun on other training data, and a resumed run is the same run")
        return facts

    def _checkpoint(self) -> Path | None:
        """The newest whole one; one from before the best evaluation where the best weights are not whole."""
        found = checkpoint.latest(self.folder.checkpoints, self.hear.said)
        if found is None:
            return None
        progress = checkpoint.read_progress(found)
        try:
            if progress.evaluated >= 0 or (self.folder.path / MANIFEST).is_file():
                verified(self.folder.path)
        except RunError as error:
            self.hear.said(f"{error}; the best weights are trained again")
            return checkpoint.latest(self.folder.checkpoints, self.hear.said, before=progress.best_step)
        if (self.folder.path / MANIFEST).is_file():
            self.folder.take_back()
        return found

    def _start_again(self, given: RunFolder | None, told: Mapping[str, str] | None) -> RunFolder | None:
        """The run that this one took its first weights from. Raises RunError where it is not what it was."""
        if told is None:
            return None
        start = given or RunFolder(told["path"])
        if weights_print(start) != told["weights"]:
            raise RunError(
                f"{self.folder.path} has no whole checkpoint and begins with the weights of {start.path}, which are "
                "others now: train into another --out"
            )
        return start

    def _prepare(self) -> None:
        self.train = self.plan.encoded(self.codecs)
        data, said = self.plan.data, len(self.plan.data.complaints.taken)
        self.examples = {part: data.examples(part) for part in ("valid", "test") if part in data}
        for sentence in skipped(data, said):
            self.hear.said(sentence)
        for part, examples in self.examples.items():
            for sentence in check_labels(examples, self.codecs.target, part):
                self.hear.said(sentence)
            if self.run.data.over_long == "refuse":
                encode(examples, self.codecs, self.run.data)  # what is refused is refused before training
        setup = setup_of(self.run, data.recognized.several, self.codecs)
        for sentence in in_short(glance(setup, {"train": self.plan.train, **self.examples})):
            self.hear.said(sentence)
        self.model = build_model(self.run, self.codecs).to(self.device)
        self.parameters = sum(parameter.numel() for parameter in self.model.parameters())
        for sentence in sizes(self.plan, self.train, self.codecs, self.parameters):
            self.hear.said(sentence)
        for sentence in unreached(self.model.task, self.train, self.plan.place):
            self.hear.said(sentence)

    def run_to_end(self, prepared: Callable[[Trainer], None] | None) -> Outcome:
        """Train, then measure the best weights on the whole of every part, beside the baselines.

        Of several processes the first one measures, writes and speaks.
        """
        if not self.group.first:
            trainer = self._trainer(lambda *_: None, Listener(), prepared)
            progress = trainer.fit(self.resume_from)
            return Outcome(self.folder.path, facts={"step": progress.step}, stopped=trainer.stopped)
        self.group.of_first(self.resume_from and self.resume_from.name)
        log = EventLog(self.folder.metrics, self.resume_from)
        if log.changed:
            self.hear.said(f"{self.folder.metrics} is missing or damaged; what the checkpoint holds of it is taken")
        with contextlib.closing(TensorBoard(self.folder.path / "tensorboard")) as board:
            return self._run_to_end(Together([log, board, self.hear]), prepared)

    def _run_to_end(self, hear: Listener, prepared: Callable[[Trainer], None] | None) -> Outcome:
        trainer = self.trainer = self._trainer(self.folder.keep, hear, prepared)
        progress = trainer.fit(self.resume_from)
        facts = {
            "step": progress.step,
            "seconds": progress.seconds,
            "tokens": progress.tokens,
            "parameters": self.parameters,
            "split": progress.split,
        }
        if (peak := peak_memory()) is not None:
            facts["peak_memory"] = peak
        if trainer.stopped or trainer.stop.is_set():
            outcome, answers = Outcome(self.folder.path, facts=facts, stopped=True), {}
        else:
            outcome, answers = measured(self.folder, self.run, self.examples, facts, self._classical)
            hear.finished({**facts, "metrics": outcome.metrics, "baselines": outcome.baselines})
        examined, said = len(trainer.valid.examples), self.sentences.all
        report(outcome, answers, self.folder, self.run, self.examples, examined=examined, notes=self.notes, said=said)
        return outcome

    def _classical(self, names: Sequence[str]) -> dict[str, Figures]:
        if not self.with_baselines:
            return {}
        seconds = self.trainer.progress.seconds
        found, self.notes = classical(self.plan, self.examples, names, seconds, self.hear.said)
        return found

    def _trainer(self, keep: Keep, hear: Listener, prepared: Callable[[Trainer], None] | None) -> Trainer:
        parts = (self.model, self.codecs, self.train, self._examined())
        settings, where = (self.run.training, self.run.machine), (self.device, self.folder.checkpoints)
        trainer = Trainer(*parts, settings, *where, keep, hear, self.group)
        trainer.example = self.plan.example
        if prepared is not None:
            prepared(trainer)
        return trainer

    def _examined(self) -> Examined:
        """The valid part, thinned evenly where it is larger than evaluations during training take."""
        examples, most = self.examples.get("valid", []), self.run.training.valid_examples
        thinned = examples[:: -(-len(examples) // most)] if len(examples) > most else examples
        mine = thinned[self.group.rank :: self.group.size]
        return Examined(thinned, encode(mine, self.codecs, self.run.data))


def weights_print(run: RunFolder) -> str:
    """The checksum of a run's weights. Raises RunError."""
    manifest = run.manifest()
    return manifest["files"][manifest["weights"]]


def sizes(plan: Plan, train: Any, codecs: Any, parameters: int) -> list[str]:
    """What was chosen from the data, in words."""
    encoder, training = plan.run.model.encoder, plan.run.training
    updates = batches_of(train.costs, training.tokens, 0, 0, training.groups)
    padding = padding_share(train.costs, (rows for update in updates for rows in update))
    target = codecs.target
    said = [
        f"train: {plan.count:,} examples, {train.elements:,} elements, {len(updates):,} updates an epoch, "
        f"{padding:.1%} padding",
        codecs.source.told
        + (
            f"; target {len(target.tokenizer):,}"
            if isinstance(target, Sequences) and not target.shares_vocabulary
            else ""
        )
        + (f"; labels {len(target.labels):,}" if isinstance(target, Labels) else ""),
        f"model: {encoder.layers} layers of width {encoder.width}, {parameters:,} parameters",
    ]
    if train.shortened:
        how = "cut to" if plan.run.data.over_long == "truncate" else "read in windows of"
        said.append(
            f"{train.shortened:,} examples are longer than data.max_length and are {how} {plan.run.data.max_length}"
        )
    return said
