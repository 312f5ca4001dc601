"""Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019): frequent pieces of words, nothing unknown.

Every text can be written, for the bytes themselves are pieces. Han characters are parted before pieces are learned, so
that a piece never runs over words that no blank parts. The algorithm is that of the package `tokenizers`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Engine

from headway.batch import END, SPECIALS
from headway.data.tokenizers import Text, Tokenizer, vocabulary_of
from headway.settings import Branch, Count


class Settings(Branch):
    size: Count = 8_000
    "Pieces, the 256 bytes and the four special ones among them."
    least: Count = 2
    "Times a pair must occur in training to become a piece."
    lowercase: bool = False
    "Read capital letters as small ones."


class BytePairs(Tokenizer):
    def __init__(self, settings: Settings, state: Mapping[str, Any] | None = None):
        self.settings = settings
        self._use(Engine.from_str(json.dumps(state["engine"])) if state else self._blank())

    def _use(self, engine: Engine) -> None:
        """The engine numbers its pieces from 0; ours stand behind the special ones, which no text can spell."""
        self._engine = engine
        own = engine.get_vocab()
        self.vocabulary = vocabulary_of(sorted(own, key=own.__getitem__))

    def _blank(self) -> Engine:
        engine = Engine(models.BPE())
        steps = [normalizers.NFC()] + ([normalizers.Lowercase()] if self.settings.lowercase else [])
        engine.normalizer = normalizers.Sequence(steps)
        engine.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        engine.decoder = decoders.ByteLevel()
        return engine

    def fit(self, texts: Iterable[Text]) -> None:
        trainer = trainers.BpeTrainer(
            vocab_size=self.settings.size - len(SPECIALS),
            min_frequency=self.settings.least,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        engine = self._blank()
        engine.train_from_iterator(map(_spaced, texts), trainer)
        self._use(engine)

    def elements(self, text: Text) -> Sequence[str]:
        return self._engine.encode(_spaced(text), add_special_tokens=False).tokens

    def encode(self, text: Text) -> NDArray[np.int32]:
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[Text]) -> list[NDArray[np.int32]]:
        found = self._engine.encode_batch_fast([_spaced(text) for text in texts], add_special_tokens=False)
        return [np.array(encoding.ids, np.int32) + len(SPECIALS) for encoding in found]

    def shown(self, text: Text) -> tuple[str, ...]:
        return self.pieces(self.encode(text).tolist())

    def pieces(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Each piece as text; a piece that is only part of a character shows its bytes."""
        return tuple(self._readable(i) for i in ids)

    def _readable(self, number: int) -> str:
        text = self._engine.decode([number - len(SPECIALS)]) if number > END else "\ufffd"
        return self.names()[number] if "\ufffd" in text else text

    def decode(self, ids: Iterable[int]) -> str:
        return self._engine.decode([i - len(SPECIALS) for i in ids if i > END]).removeprefix(" ")

    def state(self) -> dict[str, Any]:
        return {"engine": json.loads(self._engine.to_str())}


def _spaced(text: Text) -> str:
    """With a blank in front, so that a word at the beginning has the same pieces as one inside."""
    return " " + (text if isinstance(text, str) else " ".join(text))
