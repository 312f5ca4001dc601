"""Tables in Parquet files, a group of rows at a time, so that a file may be larger than memory.

The columns are read as the keys of `jsonl` are; complaints name the row, counted from 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headway.batch import Example
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._arrow import ROWS, examples_of, pyarrow
from headway.data.readers._columns import UNCHOSEN


class Parquet(Reader):
    suffixes = (".parquet", ".pq")

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        module = pyarrow("parquet", "parquet")

        @contextmanager
        def opened() -> Iterator[Iterator[Any]]:
            with module.ParquetFile(path, pre_buffer=False) as file:
                yield file.iter_batches(batch_size=ROWS)

        return examples_of(path, "parquet", opened, columns, complain)
