"""What a user may say about the data; what is left open is recognized, and said."""

from typing import Annotated, Literal

from headway.data.tokenizers import TOKENIZERS
from headway.settings import Branch, Count, Duration, Name, Names

TaskName = Literal["tag", "classify", "regress", "transduce"]


class DataSettings(Branch):
    train: Names = ()
    "Training files, where they are not train.* in the data folder; a parallel file and its target with a comma."
    valid: Names = ()
    "Files that decide which checkpoint is the best, where they are not valid.*, val.* or dev.*."
    test: Names = ()
    "Files that the final figures come from, where they are not test.*."
    format: str | None = None
    "A name of `headway list formats`; recognized by ending and content where none is given."
    task: TaskName | None = None
    "The question; recognized from the targets where none is given."
    source: Name | None = None
    "Column, key or file ending of the source: a name, or a number from 1."
    target: Names = ()
    "Column, key or file ending of the target; several are references of the same source."
    tokenizer: Annotated[Branch | None, TOKENIZERS] = None
    "How a source is cut into elements; chosen from the data where none is given."
    target_tokenizer: Annotated[Branch | None, TOKENIZERS] = None
    "How a target sequence is cut; chosen from the data where none is given."
    joint: bool = False
    "One vocabulary for sources and targets."
    max_length: Count = 512
    "Elements that a source may have."
    max_seconds: Duration = 300.0
    "Seconds that a sound may have; a longer one is refused before it is read."
    over_long: Literal["refuse", "truncate", "window"] = "truncate"
    "What happens to a longer one: an error, its beginning only, or windows whose answers are put together."
    on_bad: Literal["error", "skip"] = "error"
    "What happens to a line that cannot be used: an error that names it, or it is left out, counted and listed."
