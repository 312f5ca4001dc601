"""Text: words, characters or pieces of words, each a vector.

The vector of an element is the sum of what is switched on: its own (learned, or one-hot), what its letters say (a small
convolution over its characters, or hashed n-grams of them as in fastText, Bojanowski et al. 2017), and hashed n-grams
of words that end in it (Joulin et al. 2017). Letters speak for words that training never saw; n-grams of words speak
for phrases in documents too long, and too few, for attention to learn them.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import PAD, SPECIALS, UNKNOWN, Part
from headway.errors import UsageError
from headway.functional.masks import Mask
from headway.inputs import Input, Vectors
from headway.kernels.dropout import generator_for
from headway.rows import Rows
from headway.settings import Branch, Count, Rate


class Settings(Branch):
    embedding: Literal["learned", "one_hot"] = "learned"
    "A learned vector for every element, or a 1 in its own place (then the width must hold the whole vocabulary)."
    characters: int = 0
    "Width of the convolution over a word's own characters; 0 for none."
    character_ngrams: int = 0
    "Longest n-gram of a word's characters that has a (hashed) vector; 0 for none."
    word_ngrams: int = 1
    "Longest n-gram of words that has a (hashed) vector; 1 for none beside the words."
    buckets: Count = 65_536
    "Vectors that the hashed n-grams share."
    spread: Annotated[float, Field(gt=0)] = 1.0
    "Spread of the elements' vectors at the beginning; where it is small, an element that was rarely seen says little."
    word_dropout: Rate = 0.0
    "Share of the words that training reads as unknown, so that their letters and surroundings must speak for them."
    vectors: str | None = None
    "A text file of word vectors to begin with: a word and its numbers a line."

    @property
    def reads_letters(self) -> bool:
        return self.characters > 0 or self.character_ngrams > 0 or self.word_ngrams > 1


@dataclass(frozen=True)
class TextSizes:
    """What the data decides: how many elements the vocabulary has, and how many characters the alphabet."""

    vocabulary: int
    alphabet: int = 0


Tables = tuple[NDArray[np.int64], NDArray[np.uint64], Rows, Rows]
"""Of word forms, by number: ids in the vocabulary, hashes, characters, buckets of n-grams."""


class Forms:
    """Every word form met, by number, with what can be read off its letters. Grows as words come."""

    def __init__(self, settings: Settings, known: Callable[[str], int], alphabet: Mapping[str, int]):
        """known: the number of a word in the vocabulary, UNKNOWN where it is not there; alphabet: of a character."""
        self.settings, self.known, self.alphabet = settings, known, alphabet
        self.forget()

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def words(self) -> list[str]:
        """Every form by its number."""
        return list(self._numbers)

    def forget(self) -> None:
        """Begin again with no forms; numbers given before are void."""
        self._numbers: dict[str, int] = {}
        none = Rows.of([])
        self._tables: Tables = (np.zeros(0, np.int64), np.zeros(0, np.uint64), none, none)
        self._empty()

    def _empty(self) -> None:
        """No form is waiting to be put into the tables."""
        self._ids: list[int] = []
        self._hashes: list[int] = []
        self._characters: list[NDArray] = []
        self._ngrams: list[NDArray] = []

    def number(self, word: str) -> int:
        """The number of a form; a new form is read and kept."""
        found = self._numbers.get(word)
        return self._add(word) if found is None else found

    def _add(self, word: str) -> int:
        number = self._numbers[word] = len(self._numbers)
        self._ids.append(self.known(word))
        self._hashes.append(zlib.crc32(word.encode()))
        if self.settings.characters:
            known = [self.alphabet.get(c, UNKNOWN) for c in word[:LONGEST_WORD]]
            self._characters.append(np.array(known, np.int32))
        if self.settings.character_ngrams:
            self._ngrams.append(ngram_buckets(word, self.settings.character_ngrams, self.settings.buckets))
        return number

    def tables(self) -> Tables:
        """(ids, hashes, characters, n-grams) of all forms, by number."""
        if self._ids:  # only what is new is made into arrays, since every batch of a stream may bring a new form
            ids, hashes, characters, ngrams = self._tables
            self._tables = (
                np.concatenate([ids, np.array(self._ids, np.int64)]),
                np.concatenate([hashes, np.array(self._hashes, np.uint64)]),
                characters.followed_by(Rows.of(self._characters)),
                ngrams.followed_by(Rows.of(self._ngrams)),
            )
            self._empty()
        return self._tables


HASHED_SPREAD = 0.03
"""Spread of the n-grams' vectors at the beginning: most are met only after training, and must then be silent."""

LONGEST_WORD = 40
"""Characters of a word that are read; what is longer is an address or noise."""


def ngram_buckets(word: str, longest: int, buckets: int) -> NDArray[np.int32]:
    """The buckets of the n-grams of <word>, with its ends marked, and of the whole."""
    marked = f"<{word[:LONGEST_WORD]}>"
    grams = {marked[i : i + n] for n in range(1, longest + 1) for i in range(len(marked) - n + 1)}
    grams.add(marked)
    grams -= {"<", ">"}
    return np.array(sorted([zlib.crc32(gram.encode(), _BEGUN) % buckets for gram in grams]), np.int32)


_BEGUN = zlib.crc32(b"c")
"""A checksum that has read `c` already, which tells n-grams of characters from other hashes."""


def word_ngram_buckets(hashes: NDArray[np.uint64], longest: int, buckets: int) -> NDArray[np.int64]:
    """(B, S, longest - 1) for each position the buckets of the n-grams of 2 … longest words that end in it.

    hashes (B, S). Where the row has not begun n words before, the n-gram holds what there is.
    """
    layers, running = [], hashes.copy()
    for n in range(1, longest):
        before = np.zeros_like(hashes)
        before[:, n:] = hashes[:, :-n] if n < hashes.shape[1] else 0
        running = running * np.uint64(0x9E3779B97F4A7C15) + before
        layers.append((running ^ (running >> np.uint64(29))) % np.uint64(buckets))
    return np.stack(layers, -1).astype(np.int64)


def collate(rows: Sequence[NDArray], forms: Forms | None) -> Part:
    """Rows of ids (or, with `forms`, of numbers of forms) as one part.

    ids         (B, S) in the vocabulary, PAD behind the shorter rows
    keys        (B, S) which are real; left out where all are
    form        (B, S) which of the forms below stands here
    characters  (U, C) characters of the forms that occur, PAD behind the shorter ones
    ngrams      (G) buckets of their n-grams, one form after another; ngram_starts (U) where each form begins
    word_ngrams (B, S, n-1) buckets
    """
    batch = Rows.of(rows)
    lengths = batch.lengths
    part: Part = {}
    if (lengths != lengths.max(initial=0)).any():
        part["keys"] = torch.from_numpy(np.arange(lengths.max()) < lengths[:, None])
    if forms is None:
        part["ids"] = torch.from_numpy(batch.padded(PAD).astype(np.int64))
        return part
    ids, hashes, characters, ngrams = forms.tables()
    settings, padded = forms.settings, batch.padded(-1)
    real = padded >= 0
    part["ids"] = torch.from_numpy(np.where(real, ids[padded], PAD))
    if settings.word_ngrams > 1:
        words = np.where(real, hashes[padded], 0).astype(np.uint64)
        part["word_ngrams"] = torch.from_numpy(word_ngram_buckets(words, settings.word_ngrams, settings.buckets))
    if settings.characters or settings.character_ngrams:
        occurring, inverse = np.unique(batch.values, return_inverse=True)
        form = np.zeros(padded.shape, np.int64)
        form[real] = inverse
        part["form"] = torch.from_numpy(form)
        if settings.characters:
            part["characters"] = torch.from_numpy(characters.take(occurring).padded(PAD).astype(np.int64))
        if settings.character_ngrams:
            grams = ngrams.take(occurring)
            part["ngrams"] = torch.from_numpy(grams.values.astype(np.int64))
            part["ngram_starts"] = torch.from_numpy(grams.starts[:-1].copy())
    return part


class TextInput(Input):
    """(B, S) ids and what their letters say -> (B, S, D)."""

    def __init__(self, settings: Settings, width: int, sizes: TextSizes):
        super().__init__()
        self.settings, self.width = settings, width
        if settings.embedding == "one_hot":
            if sizes.vocabulary > width:
                raise UsageError(
                    f"one-hot vectors need a width of at least the vocabulary, and {width} < {sizes.vocabulary:,}: "
                    "raise model.encoder.width, take smaller elements (data.tokenizer character), or embedding learned"
                )
            self.embedding = None
        else:
            self.embedding = _table(sizes.vocabulary, width, settings.spread)
        if settings.character_ngrams or settings.word_ngrams > 1:
            self.hashed = _table(settings.buckets, width, HASHED_SPREAD)
        if settings.characters:
            self.letters = CharacterConvolution(sizes.alphabet, settings.characters, width)

    def forward(self, part: Part) -> Vectors:
        ids = part["ids"]
        x = self.element_vectors(ids)
        if "ngrams" in part:
            forms = F.embedding_bag(part["ngrams"], self.hashed, part["ngram_starts"], mode="mean")
            x = x + self._scaled(forms)[part["form"]]
        if "characters" in part:
            x = x + self.letters(part["characters"])[part["form"]]
        if "word_ngrams" in part:
            grams = part["word_ngrams"]
            bags = F.embedding_bag(grams.flatten(0, 1), self.hashed, mode="mean")
            x = x + self._scaled(bags).view_as(x)
        return Vectors(x, Mask(part.get("keys")))

    def element_vectors(self, ids: Tensor) -> Tensor:
        """(B, S) -> (B, S, D) the elements' own vectors."""
        if self.training and self.settings.word_dropout:
            unknown = (
                torch.rand(ids.shape, device=ids.device, generator=generator_for(ids)) < self.settings.word_dropout
            )
            ids = torch.where(unknown & (ids >= len(SPECIALS)), UNKNOWN, ids)
        if self.embedding is None:
            return F.one_hot(ids, self.width).to(torch.get_default_dtype())
        return self._scaled(F.embedding(ids, self.embedding))

    def _scaled(self, x: Tensor) -> Tensor:
        return x * self.width**0.5  # the tables are small, so that they can serve as output layers (section 3.4)


class CharacterConvolution(nn.Module):
    """A word's vector from its characters: windows of three, each feature's maximum (Santos & Zadrozny 2014)."""

    def __init__(self, alphabet: int, width: int, output: int):
        super().__init__()
        self.embedding = nn.Embedding(alphabet, width, padding_idx=PAD)
        self.windows = nn.Linear(3 * width, 2 * width)
        self.output = nn.Linear(2 * width, output)

    def forward(self, characters: Tensor) -> Tensor:
        """(U, C) -> (U, D)"""
        x = F.pad(self.embedding(characters), (0, 0, 1, 1))
        windows = torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], -1)
        features = self.windows(windows).masked_fill((characters == PAD)[..., None], -torch.inf)
        return self.output(features.amax(1).relu())


def _table(rows: int, width: int, spread: float) -> nn.Parameter:
    return nn.Parameter(torch.empty(rows, width).normal_(std=spread * width**-0.5))
