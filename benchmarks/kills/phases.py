"""What a training is doing, or did when it was killed: read from the files that it leaves, and from nothing else."""

from pathlib import Path

from headway.training.events import read_events

PHASES = ("preparation", "step", "validation", "best weights", "checkpoint", "end")
"""preparation    of data and model, until the log is begun or gone on with
step           an update
validation     answering the valid part
best weights   they are written
checkpoint     it is written, and old ones go
end            measuring every part, results and report
"""


class Watch:
    """Tells the phase of one process that trains into a folder.

    every, steps    of the training
    """

    def __init__(self, run: Path, every: int, steps: int):
        self.run, self.every, self.steps = run, every, steps
        self.log = run / "metrics.jsonl"
        self.before = self._log()

    def _log(self) -> tuple[int, int] | None:
        try:
            stat = self.log.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def phase(self) -> str:
        if self._log() in (None, self.before):
            return "preparation"
        if half := [path.name for path in self.run.glob(".*.tmp")]:
            names = {".weights": "best weights", ".manifest": "best weights", ".metrics": "preparation"}
            return next((phase for begin, phase in names.items() if half[0].startswith(begin)), "end")
        if any((self.run / "checkpoints").glob(".*.tmp")):
            return "checkpoint"
        event, step = self._last()
        if event == "valid":
            saved = (self.run / "checkpoints" / f"step-{step:09d}").exists()
            return "checkpoint" if not saved else "end" if step == self.steps else "step"
        if event == "step" and (step % self.every == 0 or step == self.steps):
            kept = (self.run / f"weights-{step:09d}.safetensors").exists()
            return "best weights" if kept else "validation"
        return "end" if event == "end" else "step"

    def _last(self) -> tuple[str, int]:
        events = read_events(self.log)
        return (events[-1]["event"], events[-1]["step"]) if events else ("start", 0)
