"""Prepared data: encoded once and read through memory maps, so that a training part may be larger than memory.

DIR/prepared.json       what was prepared: the question, the survey, the settings, how many rows, from which files
    codecs.json         tokenizers, vocabularies, labels, as a run folder has them
    forms.json          word forms by number, where the input reads letters
    sources.bin         the elements of all rows one behind the other (int32), source_starts.bin where each row begins
    targets.bin         the same of the targets (int32, with target_starts.bin), or a number each (float64)
    costs.bin           padded tokens that each row takes (int64)
    windows.bin         which piece of which example each row is (int32, five a row)
    places.bin          file and line of each example (uint32, two each)
    train.jsonl         examples as text: a sample of the training part, what is kept of valid and test
    manifest.json       the checksums of these files

All numbers are little-endian and without a header. The folder is whole or not there.
"""

from headway.data.index.reading import Index, is_index
from headway.data.index.writing import IndexWriter, fingerprint

__all__ = ["Index", "IndexWriter", "fingerprint", "is_index"]
