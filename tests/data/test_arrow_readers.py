"""Parquet and Arrow files give the examples that the same rows give as JSON lines, and complain by row."""

import contextlib
import ctypes
import json
from pathlib import Path

import pytest

from headway.data.formats import by_suffix
from headway.data.readers import READERS, Columns
from headway.data.readers._columns import UNCHOSEN
from headway.errors import DataError, MissingPackage, UsageError

pa = pytest.importorskip("pyarrow")
ipc = pytest.importorskip("pyarrow.ipc")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = [
    {"id": 1, "text": "a good film", "label": "pos", "stars": 4.5},
    {"id": 2, "text": "bad, \n very\tbad", "label": "neg", "stars": 1.0},
    {"id": 3, "text": "王家衛", "label": "pos", "stars": 3.0},
]
LISTS = [{"tokens": ["the", "dog"], "tags": ["DET", "NOUN"]}, {"tokens": ["barks"], "tags": ["VERB"]}]


def written(path: Path, rows: list[dict], group: int = 2) -> Path:
    """The rows in the format of the name; `.arrow` with a table of contents, `.ipc` as a stream."""
    table = pa.Table.from_pylist(rows)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=group)
    else:
        make = ipc.new_file if path.suffix == ".arrow" else ipc.new_stream
        with make(str(path), table.schema) as out:
            out.write_table(table, max_chunksize=group)
    return path


def read(path: Path, columns: Columns = UNCHOSEN, **how):
    return list(READERS.part(by_suffix(path) or "")().read(path, columns, **how))


@pytest.mark.parametrize("end", ["parquet", "arrow", "ipc"])
@pytest.mark.parametrize("rows", [ROWS, LISTS])
@pytest.mark.parametrize("columns", [Columns(), Columns("text", ("stars",))])
def test_a_row_is_what_it_is_as_a_line_of_json(end, rows, columns, tmp_path):
    if rows is LISTS and columns != Columns():
        columns = Columns("tokens", ("tags",))
    found = read(written(tmp_path / f"a.{end}", rows), columns)
    expected = read(written(tmp_path / "a.jsonl", rows), columns)
    assert [(e.source, e.target, e.others) for e in found] == [(e.source, e.target, e.others) for e in expected]
    assert [e.where.line for e in found] == [1, 2, 3][: len(rows)]
    assert found[0].where.file == tmp_path / f"a.{end}"


@pytest.mark.parametrize("end", ["parquet", "arrow", "ipc"])
def test_a_bad_row_is_named_and_can_be_passed_over(end, tmp_path):
    path, taken = written(tmp_path / f"a.{end}", [*ROWS[:2], {**ROWS[2], "text": ""}, ROWS[0]]), []
    with pytest.raises(DataError, match=rf"a\.{end}:3: the source \('text'\) is empty"):
        read(path)
    assert len(read(path, complain=taken.append)) == 3 and [error.where.line for error in taken] == [3]


@pytest.mark.parametrize("end", ["parquet", "arrow", "ipc"])
def test_what_is_no_such_file_or_cut_short_is_said(end, tmp_path):
    path = written(tmp_path / f"a.{end}", ROWS * 40)
    whole = path.read_bytes()
    for content in (b"no such thing at all", whole[: len(whole) // 2], whole[:-3]):
        path.write_bytes(content)
        if end == "ipc" and content == whole[:-3]:
            continue  # the mark at the end of a stream may be missing
        with pytest.raises(DataError, match=f"a.{end}: this is no .* file, or damaged"):
            read(path)


def test_a_place_outside_of_the_file_is_not_looked_at(tmp_path):
    """Arrow believes what a file says of where a text begins: a file from elsewhere could show what is beside it."""
    path = written(tmp_path / "a.ipc", [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}])
    places = (0, 4, 7), (0, 4, 1 << 20)
    begins, lies = (b"".join(place.to_bytes(4, "little") for place in each) for each in places)
    whole = path.read_bytes()
    assert whole.count(begins) == 1
    path.write_bytes(whole.replace(begins, lies))
    with pytest.raises(DataError, match=r"a.ipc: this is no arrow file, or damaged: .*out of bounds"):
        read(path)


SAME = pa.RunEndEncodedArray.from_arrays(pa.array([(1 << 31) - 1], pa.int32()), pa.array(["x"]))


@pytest.mark.parametrize(("column", "rows"), [(SAME, "2,147,483,647"), (pa.nulls(1000), "1,000")])
def test_rows_that_a_file_has_no_room_for_are_not_read(column, rows, tmp_path):
    made = pa.RecordBatch.from_arrays([column, column], names=["text", "label"])
    with ipc.new_stream(str(tmp_path / "a.ipc"), made.schema) as out:
        out.write_batch(made)
    with pytest.raises(DataError, match=rf"no arrow file, or damaged: it claims {rows} rows and has no room for them"):
        read(tmp_path / "a.ipc")


def test_a_column_whose_values_only_arrow_has_is_named(tmp_path):
    made = pa.RecordBatch.from_arrays([pa.array(["a", "b"]), pa.array([1, 2], pa.int32())], names=["text", "label"])
    content, types = (ctypes.c_void_p * 10)(), (ctypes.c_void_p * 9)()  # of Arrow's C data interface
    made._export_to_c(ctypes.addressof(content), ctypes.addressof(types))
    columns = ctypes.cast(types[5], ctypes.POINTER(ctypes.POINTER(ctypes.c_char_p)))
    columns[1][0] = b"tiM"  # months, which pyarrow can hold and not make
    made = pa.RecordBatch._import_from_c(ctypes.addressof(content), ctypes.addressof(types))
    with ipc.new_stream(str(tmp_path / "a.ipc"), made.schema) as out:
        out.write_batch(made)
    said = r"a.ipc: the column 'label' is of type month_interval, of which Python has no values: leave it out"
    with pytest.raises(DataError, match=said):
        read(tmp_path / "a.ipc")


@pytest.mark.long
@pytest.mark.parametrize("end", ["parquet", "arrow", "ipc"])
@pytest.mark.parametrize("byte", [11, 0xFF])
def test_whatever_byte_is_another_there_are_rows_or_a_message(end, byte, tmp_path):
    """11 is, among others, the type of intervals: pyarrow has no class for those of months, and raises KeyError."""
    path = written(tmp_path / f"a.{end}", [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}])
    whole, said = path.read_bytes(), set[str]()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        with contextlib.suppress(UsageError):  # its columns may have other names now
            try:
                list(READERS.part(by_suffix(path) or "")().read(path, complain=lambda error: None))
            except DataError as error:
                said.add(str(error))
    assert any("or damaged" in one for one in said)


def test_what_a_table_may_hold_and_json_not_becomes_text_or_numbers(tmp_path):
    import datetime
    import decimal

    rows = [{"text": "a", "value": decimal.Decimal("2.50")}, {"text": "b", "value": decimal.Decimal("1.25")}]
    assert [e.target for e in read(written(tmp_path / "a.parquet", rows))] == [2.5, 1.25]
    days = [{"text": "a", "label": datetime.date(2020, 1, 2)}]
    assert read(written(tmp_path / "b.parquet", days))[0].target == "2020-01-02"
    assert read(written(tmp_path / "c.parquet", [{"text": "ä".encode(), "label": b"raw"}]))[0].source == "ä"
    with pytest.raises(DataError, match=r"d.parquet:1: the target \('label'\) is bytes"):
        read(written(tmp_path / "d.parquet", [{"text": "a", "label": b"\xff"}]))


def test_a_pipe_is_refused_and_a_missing_package_said(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="the format parquet is not read front to back"):
        READERS.part("parquet")().read(Path("-"))
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingPackage, match=r"headway\[data\]"):
        READERS.part("parquet")().read(tmp_path / "a.parquet")
