"""Vectors as sources: .npy, safetensors and arrays, their codec, and every complaint."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from headway.batch import Example
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES, kind_of
from headway.data.sources.vectors import SourceVectors, Vectors
from headway.errors import DataError, Where
from headway.inputs.vectors import Settings as VectorSettings

PLAIN = DataSettings()


def vectors(source, folder: Path | None = None) -> Vectors:
    where = Where("input") if folder is None else Where(folder / "list.tsv", 3)
    return SourceVectors.opened(Example(source, "x", where), PLAIN).source


def test_vectors_come_from_npy_safetensors_and_arrays(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(tmp_path / "a.npy", array)
    save_file({"one": array, "two": array + 1}, tmp_path / "all.safetensors")
    save_file({"only": array}, tmp_path / "single.safetensors")
    same = [vectors(name, tmp_path) for name in ("a.npy", "all.safetensors#one", "single.safetensors")]
    for found in (*same, vectors(array)):
        assert len(found) == 4 and np.array_equal(found.array, array)
        assert found.content() == same[0].content()
    assert vectors("all.safetensors#two", tmp_path).content() != same[0].content()
    assert str(same[1]) == "all.safetensors#one"


def test_what_is_vectors_what_is_sound_and_what_is_text():
    assert kind_of([Example("a.npy"), Example("b.safetensors#x"), Example(np.zeros((1, 1)))]) == "vectors"
    assert kind_of([Example("a.wav"), Example("b.MP3#t=1")]) == "sound"
    assert kind_of([Example("a.wav"), Example("a text")]) == "text"
    assert {"sound", "vectors", "text"} <= set(SOURCES.names())


def test_the_codec_of_vectors_is_fitted_and_comes_back(tmp_path):
    given = [Vectors(np.random.default_rng(n).normal(7, 3, (n, 4))) for n in (3, 5)]
    codec = SourceVectors(VectorSettings())
    codec.fit(given)
    rows = codec.encode_all(given)
    assert rows[0].dtype == np.float32 and codec.lengths(given) == [3, 5] and codec.sizes.numbers == 4
    again = SourceVectors(VectorSettings(), json.loads(json.dumps(codec.state())))
    part = again.collate(rows)
    real = torch.cat([part["vectors"][0, :3], part["vectors"][1]])
    assert real.mean(0).abs().max() < 1e-5 and (real.std(0, correction=0) - 1).abs().max() < 1e-5
    assert codec.elements(given[0]) == ("0", "1", "2") and codec.labelled is None
    plain = SourceVectors(VectorSettings(normalize="none"))
    plain.fit(given)
    assert np.allclose(plain.collate(rows)["vectors"][1], given[1].array)


def test_vectors_of_another_width_than_in_training(tmp_path):
    codec = SourceVectors(VectorSettings())
    codec.fit([Vectors(np.ones((2, 4)))])
    wrong = Vectors(np.ones((2, 5)), "b.npy", Where(tmp_path / "list.tsv", 9))
    with pytest.raises(
        DataError, match=r"list\.tsv:9: b\.npy has vectors of 5 numbers, and those of the training .* 4"
    ):
        codec.encode_all([wrong])


def test_bad_vectors_each_with_its_place(tmp_path):
    def complaint(name: str) -> str:
        with pytest.raises(DataError) as caught:
            vectors(name, tmp_path)
        assert str(caught.value).startswith(f"{tmp_path}/list.tsv:3: ")
        return caught.value.problem

    np.save(tmp_path / "flat.npy", np.zeros(5))
    assert complaint("flat.npy") == "flat.npy has the shape (5,), and (elements, numbers) is expected"
    np.save(tmp_path / "none.npy", np.zeros((0, 5)))
    assert "there are no numbers in it" in complaint("none.npy")
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    assert "holds <U1, and numbers are expected" in complaint("words.npy")
    np.save(tmp_path / "wide.npy", np.zeros((1, 70_000), np.float16))
    assert "at most 1,000,000 vectors of 65,536 numbers" in complaint("wide.npy")
    bad = np.zeros((4, 2))
    bad[2, 1] = np.inf
    np.save(tmp_path / "bad.npy", bad)
    assert complaint("bad.npy") == "bad.npy: vector 3 of 4 holds a number that is not finite"
    (tmp_path / "text.npy").write_text("no array")
    assert "is no .npy file; numpy.save writes one" in complaint("text.npy")
    np.save(tmp_path / "whole.npy", np.zeros((50, 50)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:500])
    assert "cut.npy is damaged or cut short" in complaint("cut.npy")
    assert "there is no such file; names are relative to" in complaint("lost.npy")
    save_file({"one": bad, "two": bad}, tmp_path / "all.safetensors")
    assert "no tensor called 'onee'; there are: one, two. Did you mean 'one'?" in complaint("all.safetensors#onee")
    assert "all.safetensors: holds one, two; name one: FILE#NAME" in complaint("all.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"12345678901234567890")
    assert "bad.safetensors is damaged or cut short" in complaint("bad.safetensors")
    with pytest.raises(DataError, match="vectors are expected: a file's name, and not"):
        SourceVectors.opened(Example(("a", "b")), PLAIN)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_objects_are_refused_and_never_made(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([[Trap(tmp_path / "sprung")]], object), allow_pickle=True)
    (tmp_path / "pickled.npy").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(DataError, match=r"objects\.npy holds Python objects \(pickle\), which may run code .* refused"):
        vectors("objects.npy", tmp_path)
    with pytest.raises(DataError, match=r"pickled\.npy is no \.npy file"):
        vectors("pickled.npy", tmp_path)
    assert not (tmp_path / "sprung").exists()
