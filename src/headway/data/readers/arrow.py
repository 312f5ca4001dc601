"""Arrow's own files (IPC), with or without a table of contents at their end, read through a memory map.

The columns are read as the keys of `jsonl` are; complaints name the row, counted from 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headway.batch import Example
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._arrow import examples_of, pyarrow
from headway.data.readers._columns import UNCHOSEN

_WITH_CONTENTS = b"ARROW1"
"""How a file begins that ends with a table of contents; one that does not is a stream."""


class Arrow(Reader):
    suffixes = (".arrow", ".feather", ".ipc")

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        module = pyarrow("ipc", "arrow")
        memory_map = pyarrow("lib", "arrow").memory_map

        @contextmanager
        def opened() -> Iterator[Iterator[Any]]:
            with memory_map(str(path)) as mapped:
                head = mapped.read(len(_WITH_CONTENTS))
                mapped.seek(0)
                if head == _WITH_CONTENTS:
                    file = module.open_file(mapped)
                    yield (file.get_batch(number) for number in range(file.num_record_batches))
                else:
                    yield iter(module.open_stream(mapped))

        return examples_of(path, "arrow", opened, columns, complain)
