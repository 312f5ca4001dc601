"""Whatever stands in a file: examples or a complaint, never a traceback. Inputs are samples with bytes changed."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import SAMPLES, UD, write

from headway.batch import Example
from headway.data.parallel import read_parallel
from headway.data.readers import READERS, Columns
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES
from headway.errors import DataError, Where

MOLECULE = """m
  x

  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.0000    0.0000    0.0000 O   0  0
  1  2  1  0
M  END
> <y>
1.5

$$$$
"""
GRAPH = {"nodes": ["C", {"id": 1, "w": [1, 2]}], "edges": [[0, 1, "x"]], "y": 1}
FILES = {
    **{name: [text] for name, text in SAMPLES.items()},
    "conllu": [SAMPLES["conllu"], UD],
    "json": [json.dumps([{"text": "good", "label": "pos"}, {"text": "bad", "label": ["a"]}]), json.dumps(GRAPH)],
    "jsonl": [SAMPLES["jsonl"], json.dumps(GRAPH) + "\n"],
    "sdf": [MOLECULE],
    "smi": ["CCO 1.5\nC1CC1\tring\n[NH4+]\n"],
}
SETTINGS = DataSettings()
FAST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # as many examples as the profile says


@st.composite
def changed(draw, samples: list[bytes]) -> bytes:
    """A sample of which pieces are cut out, doubled, or replaced by bytes that mean something somewhere."""
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.integers(0, 9)))
        odd = st.sampled_from(
            [b"", b"\0", b"\xff", b"\n", b"\t", b'"', b"{", b"[" * 9, b"-1", b"1e999", b"\xef\xbb\xbf"]
        )
        content[start:stop] = draw(odd | st.binary(max_size=4) | st.just(bytes(content[start:stop]) * 2))
    return bytes(content)


def accepted(format: str, path: Path) -> None:
    heard: list[DataError] = []
    try:
        for example in READERS.part(format)().read(path, Columns(), heard.append):
            assert example.where.line > 0
    except DataError as error:
        heard.append(error)
    assert all(str(error).startswith(str(path)) for error in heard)


@pytest.mark.parametrize("format", sorted(FILES))
@FAST
@given(data=st.data())
def test_any_change_of_a_file_gives_examples_or_complaints(tmp_path, format, data):
    content = data.draw(changed([text.encode() for text in FILES[format]]))
    accepted(format, write(tmp_path, "sample", content))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("\ud800"),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(sorted({*GRAPH, "text", "id"})), below),
    max_leaves=9,
)


@pytest.mark.parametrize("format", ["json", "jsonl"])
@FAST
@given(value=st.dictionaries(st.sampled_from([*GRAPH, "text", "label", "references", "links", "directed"]), VALUES))
def test_any_object_gives_an_example_or_a_complaint(tmp_path, format, value):
    accepted(format, write(tmp_path, "sample", json.dumps(value) + "\n"))


@FAST
@given(first=changed([b"one\ntwo\n"]), second=changed([b"eins\nzwei\n"]))
def test_any_two_files_give_pairs_or_complaints(tmp_path, first, second):
    paths = write(tmp_path, "a", first), write(tmp_path, "b", second)
    try:
        list(read_parallel(paths[0], paths[1:], lambda error: None))
    except DataError as error:
        assert str(tmp_path) in str(error)


def _npy() -> bytes:
    made = io.BytesIO()
    np.save(made, np.ones((2, 3), np.float32))
    return made.getvalue()


def _tensors() -> bytes:
    head = json.dumps({"x": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(8)


@pytest.mark.parametrize(("name", "sample"), [("f.npy", _npy()), ("f.safetensors", _tensors())])
@FAST
@given(data=st.data())
def test_any_change_of_vectors_gives_vectors_or_a_complaint(tmp_path, name, sample, data):
    write(tmp_path, name, data.draw(changed([sample])))
    opens(tmp_path, "vectors", name)


@FAST
@given(data=st.data())
def test_any_change_of_a_sound_gives_a_sound_or_a_complaint(tmp_path, data):
    soundfile = pytest.importorskip("soundfile")
    made = io.BytesIO()
    soundfile.write(made, np.zeros(64, np.float32), 8000, format="WAV")
    write(tmp_path, "f.wav", data.draw(changed([made.getvalue()])))
    opens(tmp_path, "sound", "f.wav")


def opens(folder: Path, kind: str, name: str) -> None:
    example = Example(name, "x", Where(folder / "list.tsv", 1))
    try:
        assert len(SOURCES.part(kind).opened(example, SETTINGS).source) > 0
    except DataError as error:
        assert error.where.line == 1


def test_a_header_of_vectors_that_python_cannot_read_is_a_complaint(tmp_path):
    content = _npy().replace(b"(2, 3)", b"(2,(3 ")
    write(tmp_path, "f.npy", content)
    with pytest.raises(DataError, match=r"list.tsv:1: .*f.npy is damaged or cut short"):
        SOURCES.part("vectors").opened(Example("f.npy", "x", Where(tmp_path / "list.tsv", 1)), SETTINGS)
