"""What a user may say about training, and about the machine it runs on."""

from typing import Annotated, Literal

from pydantic import Field

from headway.settings import Branch, Count, Duration, Rate
from headway.training.optimizers import OPTIMIZERS
from headway.training.schedule import Schedule


class TrainingSettings(Branch):
    steps: Count | None = None
    "Updates of the weights; where none are given, those of `epochs`, or as many as fit into time_limit if less."
    epochs: Count | None = None
    "Passes over the training part, where no steps are given."
    time_limit: Duration | None = None
    "Training stops after this time (5m, 1h30m), wherever it is."
    tokens: Count = 4096
    "Tokens of an update, padding included: the larger of both sides of each row."
    groups: Count = 1
    "Batches of different lengths that make an update together."
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    "The highest learning rate."
    schedule: Schedule = "cosine"
    "How the learning rate falls after the warm-up."
    warmup: Annotated[float, Field(ge=0)] = 0.05
    "Updates over which the learning rate grows; below 1 it is a share of all."
    optimizer: Annotated[Branch, OPTIMIZERS] = OPTIMIZERS.default("adamw")
    "How gradients become changes."
    clip: Annotated[float, Field(ge=0)] = 1.0
    "The longest gradient; a longer one is shortened. 0 for no limit."
    average: Rate = 0.03
    "Share of the updates over which the weights are averaged (exponentially) for every evaluation; 0 for none."
    evaluate_every: Count | None = None
    "Updates between evaluations, each with a checkpoint; 20 over the whole training where none are given."
    valid_examples: Count = 1000
    "Examples of the valid part that the evaluations during training take, at most."
    patience: Count | None = None
    "Evaluations without a better metric after which training stops."


class MachineSettings(Branch):
    device: str = "auto"
    "auto, cpu, cuda, cuda:1, mps."
    threads: Count | None = None
    "Threads of a CPU; as many as there are cores where none are given."
    precision: Literal["float32", "medium", "bfloat16"] = "float32"
    "Of matrix products: float32; medium, float32 whose factors may be rounded to bfloat16; bfloat16 by autocast."
    micro_tokens: Count | None = None
    "Tokens that go through the model at once; the gradients of an update's parts are summed, which changes nothing."
    parts: Count | None = None
    "Parts of an update, by process, and side by side on a CPU; as many as threads, 4 at most, where none are given."
    shard: bool = False
    "Divide weights, gradients and the optimizer's states among the processes, for models too large for one device."
    recompute: bool = False
    "Keep only the input of each block for the gradients and compute the rest again: less memory, a third more work."
    compile: bool = False
    "Compile the model by torch.compile: minutes before the first step. For GPUs; on a CPU it makes training slower."
    deterministic: bool = True
    "Refuse operations whose result can differ between two runs of the same seed."
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    "Of weights, order and dropout."
