"""BLEU: how many n-grams of words the output shares with its references."""

from collections.abc import Sequence
from typing import Any

from headway.metrics._corpus_score import CorpusScore

HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Unicode's blocks of Chinese characters: extension A, unified, compatibility, and planes 2 and 3."""


class Bleu(CorpusScore):
    """Corpus BLEU (Papineni et al. 2002) as sacreBLEU computes it (Post 2018), 0 to 100, mixed case, tokenizer 13a.

    brevity penalty × exp of the mean over n = 1 … 4 of log precision. Where most letters of the references are Chinese
    characters the tokenizer is `zh`, which parts them; the signature says which it was.
    """

    def scorer(self, references: Sequence[Sequence[str]]) -> Any:
        # force: whether the text looks tokenized is no concern of a log; the signature says what was done.
        return self._sacrebleu.metrics.BLEU(tokenize="zh" if mostly_han(references) else "13a", force=True)


def mostly_han(references: Sequence[Sequence[str]]) -> bool:
    """Whether more than half of the letters are Chinese characters."""
    letters = [ord(c) for row in references for text in row for c in text if c.isalpha()]
    han = sum(any(first <= letter <= last for first, last in HAN) for letter in letters)
    return 2 * han > len(letters)
