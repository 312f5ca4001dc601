"""Folders whose names are the labels, and files in them that are an example each: `DATA/train/yes/7.wav`."""

import os
from collections.abc import Iterator
from pathlib import Path

from headway.batch import Example
from headway.data.files import names_in, place
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN
from headway.errors import DataError, Where, file_name

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".npy", ".mol")
"""Ends of names of files that are an example; others that lie beside them are left alone."""


class Member(Where):
    """A file that is an example by itself: a complaint names it, and can be passed over like one about a line."""

    @property
    def folder(self) -> Path:
        """The folder of the labels' folders, where names begin."""
        return Path(self.file).parent.parent

    def __str__(self) -> str:
        return file_name(self.file)


class Folders(Reader):
    suffixes = ()  # a folder's name says nothing; `parts` looks inside

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        """Every file in a folder of this folder, by name; the label is the folder's name."""
        silent = True
        for label in labels_in(path):
            for name in members_of(path / label):
                silent = False
                yield Example(f"{label}/{name}", label, Member(path / label / name, 1))
        if silent:
            raise DataError(place(path), f"no folder in it holds examples, which end in {', '.join(SUFFIXES)}")


def labels_in(folder: Path) -> list[str]:
    """The folders in a folder, by name."""
    return [name for name in names_in(folder) if os.path.isdir(folder / name)]


def members_of(folder: Path) -> list[str]:
    """The names of the examples in a folder."""
    return [name for name in names_in(folder) if name.lower().endswith(SUFFIXES)]


def is_labelled(folder: Path) -> bool:
    """Whether folders in it hold examples."""
    return any(members_of(folder / label) for label in labels_in(folder))
