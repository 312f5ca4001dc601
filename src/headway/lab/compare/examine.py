"""Every arm built once before anything is trained: what cannot be is refused, what it costs counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from headway.data.batching import plan as updates_of
from headway.data.encoding import Codecs, Encoded
from headway.errors import UsageError
from headway.lab.compare.axes import Arm
from headway.lab.compare.flops import flops_of
from headway.planning import Plan, codecs_for
from headway.run import Run, build_model


@dataclass(frozen=True)
class Examined:
    """An arm, what it learns from as numbers, and its size.

    flops     operations for one token of training
    """

    arm: Arm
    train: Encoded
    parameters: int
    flops: float


def examined(plan: Plan, arms: Sequence[Arm]) -> Iterator[Examined]:
    """Every arm with its size; arms that read alike share what is read. Raises UsageError naming the arm."""
    read: list[tuple[Run, Codecs, Encoded]] = []
    for arm in arms:
        try:
            same = next((one for one in read if _reads_like(one[0], arm.run)), None)
            if same is None:
                codecs = codecs_for(replace(plan, run=arm.run))
                same = arm.run, codecs, replace(plan, run=arm.run).encoded(codecs)
                read.append(same)
            yield _examined(arm, same[1], same[2])
        except UsageError as error:
            raise UsageError(f"arm {arm.name}: {error}") from error


def _reads_like(one: Run, other: Run) -> bool:
    return one.data == other.data and one.model.input == other.model.input


def _examined(arm: Arm, codecs: Codecs, train: Encoded) -> Examined:
    """Counts on the first update of the first epoch, which is the same for arms that read alike."""
    run = arm.run
    model = build_model(run, codecs)
    update = updates_of(train.costs, run.training.tokens, run.machine.seed, 0, run.training.groups)[0]
    batches = [train.batch(rows, codecs.source, model.task) for rows in update]
    tokens = sum(int(train.costs[rows].sum()) for rows in update)
    operations = sum(flops_of(model, batch) for batch in batches)
    return Examined(arm, train, sum(p.numel() for p in model.parameters()), operations / max(tokens, 1))
