"""What is fuzzed: every reader, and what opens the files that readers name. Bytes in; examples or a message out.

A target returns what it has read. Whatever it raises but the errors that a person is told is a finding.
"""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from headway.batch import Example
from headway.data.files import LONGEST
from headway.data.parallel import read_parallel
from headway.data.readers import READERS
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES
from headway.errors import DataError, UsageError, Where

FORMATS = {name: READERS.part(name) for name in READERS.names() if name != "folders"}
"""The readers of files, imported while imports are instrumented."""
OPENERS = {name: SOURCES.part(name) for name in ("graph", "sound", "vectors")}
"""What opens the files that readers name, likewise."""
SETTINGS = DataSettings()
MOST = 1 << 16
"""Bytes of an input."""

SEEDS: dict[str, list[bytes]] = {
    "conll": [b"the DT\ndog NN\n\nruns VB\n", b"-DOCSTART- -X-\n\n# id 7\na\tB-PER\n"],
    "conllu": [b"# text = a\n1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n1-2\ta\t_\t_\t_\t_\t_\t_\t_\t_\n"],
    "csv": [b'text,label\n"good, ""very"" good",pos\nbad,neg\n', b"text;label\na;b\n"],
    "json": [
        b'[{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]',
        b'{"text": ["a"], "tags": ["b"]}\n',
    ],
    "jsonl": [
        b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": 1.5e3}\n',
        b'{"nodes": ["C", {"id": 1, "w": [1, 2]}], "edges": [[0, 1, "x"], {"source": 0, "target": 1}], "y": null}\n',
    ],
    "lines": [b"one\ntwo \xe4\xb8\xad\n"],
    "sdf": [
        b"m\n  x\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n"
        b"    0.0000    0.0000    0.0000 C   0  0\n    1.0000    0.0000    0.0000 O   0  0\n"
        b"  1  2  1  0\nM  END\n> <y>\n1.5\n\n$$$$\n"
    ],
    "smi": [b"CC(=O)O acetic acid\nc1ccccc1\t1.5\n", b"SMILES\tlogS\nCCO\t-0.1\n"],
    "slash": [b"the/DT dog/NN\nhttp://a/b ///SYM\n"],
    "tsv": [b"text\tlabel\ngood\tpos\nbad\tneg\n", b"path\tstart\tend\tlabel\na.wav\t0\t1.5\tx\n"],
    "parallel": [b"one\ntwo\n\xffeins\nzwei\n"],
    "vectors": [],
    "tensors": [],
    "sound": [],
    "smiles": [b"CC(=O)Oc1ccccc1C(=O)O", b"[13CH3-]"],
}


def _npy() -> bytes:
    import io

    import numpy as np

    made = io.BytesIO()
    np.save(made, np.ones((2, 3), np.float32))
    return made.getvalue()


def _tables() -> dict[str, list[bytes]]:
    """A small table as Arrow's files, with and without contents, and as a Parquet file."""
    import io

    import pyarrow
    from pyarrow import ipc, parquet

    columns = {"text": ["good", "bad \u4e2d"], "label": ["pos", None], "w": [[1.0], [0.5, 2.0]], "n": [1, 1 << 40]}
    table = pyarrow.table({"text": pyarrow.array(columns.pop("text")).dictionary_encode(), **columns})
    stream, file, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    plain = pyarrow.table({"text": ["good", "bad"], "label": ["pos", "neg"]})
    with ipc.new_file(file, plain.schema) as writer:
        writer.write_table(plain)
    parquet.write_table(table, packed, store_schema=False, compression="none")
    return {"arrow": [stream.getvalue(), file.getvalue()], "parquet": [packed.getvalue()]}


def _wav() -> bytes:
    import struct

    samples = struct.pack("<8h", *range(0, 8000, 1000))
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16,
                       b"data", len(samples))  # fmt: skip
    return head + samples


def _tensors() -> bytes:
    head = json.dumps({"x": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(8)


SEEDS |= _tables()
SEEDS["vectors"].append(_npy())
SEEDS["tensors"].append(_tensors())
SEEDS["sound"].append(_wav())


class Files:
    """A folder in memory, where there is one, for the file of each input."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)
        self.path = Path(self._folder.name)

    def holding(self, name: str, content: bytes) -> Path:
        path = self.path / name
        path.write_bytes(content)
        return path


def target(name: str, files: Files) -> Callable[[bytes], int]:
    """What takes the bytes of one input; returns how many examples there were."""
    made = {"parallel": _parallel, "smiles": _smiles}
    ends = {"vectors": ("vectors", "f.npy"), "tensors": ("vectors", "f.safetensors"), "sound": ("sound", "f.wav")}

    def take(content: bytes) -> int:
        content = content[:MOST]
        try:
            if name in ends:
                return _opened(content, files, *ends[name])
            if name in made:
                return made[name](content, files)
            return _read(content, files, name)
        except (DataError, UsageError):
            return 0

    return take


def _read(content: bytes, files: Files, format: str) -> int:
    path = files.holding("f", content)
    count = 0
    for example in FORMATS[format]().read(path, complain=lambda error: None):
        count += 1
        assert isinstance(example.where, Where) and example.where.line > 0
        assert not isinstance(example.source, str) or len(example.source) <= LONGEST
    return count


def _parallel(content: bytes, files: Files) -> int:
    """The first byte that no text has parts the two files."""
    first, _, second = content.partition(b"\xff")
    paths = files.holding("f.a", first), files.holding("f.b", second)
    return sum(1 for _ in read_parallel(paths[0], paths[1:], lambda error: None))


def _opened(content: bytes, files: Files, kind: str, name: str) -> int:
    path = files.holding(name, content)
    example = OPENERS[kind].opened(Example(name, "x", Where(path.parent / "list.tsv", 1)), SETTINGS)
    return len(example.source)


def _smiles(content: bytes, files: Files) -> int:
    from headway.data.sources._molecules import Smiles

    text = Smiles(content.decode("utf-8", "replace").replace("\0", " "))
    return len(OPENERS["graph"].opened(Example(text, "x", Where("f", 1)), SETTINGS).source)
