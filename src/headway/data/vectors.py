"""Word vectors made elsewhere: a word and its numbers a line, as word2vec, GloVe and fastText write them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headway.batch import SPECIALS
from headway.data.files import numbered, text_of
from headway.data.tokenizers import Tokenizer
from headway.errors import DataError, UsageError, Where


def read_vectors(path: Path, tokenizer: Tokenizer, table: Tensor | None) -> int:
    """Put the vectors of known words into a table (V, D); returns how many were found.

    The numbers are brought to the spread that the table begins with. Raises DataError for a line that is no vector, and
    UsageError where the vectors are not as wide as the table.
    """
    if table is None:
        raise UsageError("model.input.vectors needs model.input.embedding learned: one-hot vectors are what they are")
    known, width = tokenizer.vocabulary, table.shape[1]
    spread = float(table[len(SPECIALS) :].std())
    found: dict[int, np.ndarray] = {}
    for number, raw in numbered(path):
        line = text_of(raw, Where(path, number))
        word, *values = line.rstrip().split(" ")
        if number == 1 and len(values) == 1:
            continue  # word2vec begins with the counts
        if word not in known:
            continue
        try:
            vector = np.array(values, np.float32)
        except ValueError:
            if len(values) > width:
                continue  # a word with blanks inside, which some files have and no vocabulary has
            raise DataError(Where(path, number), "expected a word and its numbers, parted by blanks") from None
        if len(values) != width:
            raise UsageError(
                f"{Where(path, number)}: vectors of {len(values)} numbers, and model.encoder.width is {width}; "
                f"set model.encoder.width {len(values)}"
            )
        if not np.isfinite(vector).all():
            raise DataError(Where(path, number), "a number of this vector is not finite")
        found[known[word]] = vector
    if not found:
        raise DataError(Where(path), "none of its words is in the vocabulary of the training part")
    vectors = torch.from_numpy(np.stack(list(found.values())))
    own = float(vectors.std())
    if not own > 0:
        raise DataError(Where(path), "all numbers of its vectors are the same")
    with torch.no_grad():
        table[torch.tensor(list(found))] = vectors * (spread / own)
    return len(found)
