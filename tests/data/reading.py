"""Reading a file in a test: its examples, its complaints, and the words with which it was refused."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from headway.batch import Example
from headway.data.readers import READERS, Columns
from headway.errors import DataError

FORMATS = ["conll", "conllu", "csv", "jsonl", "lines", "slash", "tsv"]
FAST = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

SAMPLES = {
    "conll": "the DT\ndog NN\n\nruns VB\n",
    "conllu": "1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n2\tdog\tdog\tNOUN\tNN\t_\t0\troot\t_\t_\n",
    "csv": 'text,label\n"good, very good",pos\nbad,neg\n',
    "jsonl": '{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n',
    "lines": "one\ntwo\n",
    "slash": "the/DT dog/NN\nruns/VB\n",
    "tsv": "good\tpos\nbad\tneg\n",
}
EXPECTED = {
    "conll": [(("the", "dog"), ("DT", "NN")), (("runs",), ("VB",))],
    "conllu": [(("the", "dog"), ("DET", "NOUN"))],
    "csv": [("good, very good", "pos"), ("bad", "neg")],
    "jsonl": [("good", "pos"), ("bad", "neg")],
    "lines": [("one", None), ("two", None)],
    "slash": [(("the", "dog"), ("DT", "NN")), (("runs",), ("VB",))],
    "tsv": [("good", "pos"), ("bad", "neg")],
}
UD = """# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tV\tNumber=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_
3\t1\u00a0000 km\t_\tNUM\t_\t_\t1\tobl\t_\t_

# a comment alone

1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(format: str, path: Path, source: str | None = None, *target: str) -> list[Example]:
    return list(READERS.part(format)().read(path, Columns(source, target)))


def pairs(format: str, path: Path, source: str | None = None, *target: str) -> list[tuple]:
    return [(example.source, example.target) for example in read(format, path, source, *target)]


def complaints(format: str, path: Path, source: str | None = None, *target: str) -> tuple[list[Example], list[str]]:
    """What is read where complaints do not end the reading, and the complaints with the folder's name left out."""
    heard: list[DataError] = []
    found = list(READERS.part(format)().read(path, Columns(source, target), heard.append))
    return found, [str(error).replace(f"{path.parent}{os.sep}", "") for error in heard]


def refusal(format: str, path: Path, source: str | None = None, *target: str) -> str:
    """The words of the DataError that ends the reading."""
    with pytest.raises(DataError) as caught:
        read(format, path, source, *target)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "")
