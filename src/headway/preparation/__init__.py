"""Data prepared once for a training that reads them from the disk: encoded in bounded memory, by several processes.

A training part that is too large to be kept in memory as text is gone through again and again instead: once for the
vocabularies, once to be encoded. What comes out is what would have come out of memory, number for number.
"""

from headway.preparation.again import refuse_other_reading, there
from headway.preparation.preparing import LARGE, Preparing, is_large, key_of, prepare, print_of
from headway.preparation.stream import Stream, not_empty, one_target_each

__all__ = [
    "LARGE",
    "Preparing",
    "Stream",
    "is_large",
    "key_of",
    "not_empty",
    "one_target_each",
    "prepare",
    "print_of",
    "refuse_other_reading",
    "there",
]
