"""The folder of a data set: the parts in formats that headway reads, and where they came from."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.data.corpora._contract import Corpus, Record
from headway.data.corpora._splitting import Split
from headway.errors import HeadwayError, UsageError
from headway.version import __version__

FORMATS = {
    "conll": "one word and its tag a line, parted by a tab; an empty line after each sentence",
    "tsv": "one example a line, columns parted by a tab, the first line names them; no quoting",
    "manifest": "a table as tsv, whose first column names the file of each example",
    "parallel": "one text a line; line i of one file belongs to line i of the other",
}


@dataclass(frozen=True)
class Provenance:
    """Where the members came from.

    files       the package's files by name, with their SHA-256; empty for a folder and an installed package
    version     of the package, as far as it is known
    content     the fingerprint of the members
    tools       packages that the examples were written with, and their versions
    """

    files: Mapping[str, str]
    version: str
    content: str
    tools: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """What was written: `str()` is the table for a person, `facts` what `dataset.json` holds."""

    out: Path
    facts: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        head = f"{self.facts['title']}: written to {self.out}"
        return "\n".join([head, "", *_table(self.facts), *_left_out(self.facts)])


def refuse_full(out: Path) -> None:
    """Raise UsageError where something lies already."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out} exists and is no empty folder; nothing is overwritten. Give a new folder.")


def write(
    corpus: Corpus,
    made: Split,
    came: Provenance,
    out: Path,
    attached: Mapping[str, Path] | None = None,
    beside: Mapping[str, Iterable[str]] | None = None,
) -> Report:
    """Write the whole folder beside its place, then move it there: it is there complete or not at all.

    attached    files that the sources of records name, which are copied
    beside      files that all parts share
    """
    refuse_full(out)
    facts = _facts(corpus, made, came)
    place = out.resolve()
    building = place.with_name(f"{place.name}.tmp-{os.getpid()}")
    try:
        building.mkdir(parents=True)
        for part, rows in made.parts.items():
            for name, lines in _files(corpus, part, rows):
                facts["files"][name] = _write_lines(building / name, lines)
        for name, lines in (beside or {}).items():
            facts["files"][name] = _write_lines(building / name, lines)
        if attached:
            _copy(attached, [str(record.source) for rows in made.parts.values() for record in rows], building)
        (building / "README.md").write_text(_readme(facts), encoding="utf-8", newline="\n")
        text = json.dumps(facts, ensure_ascii=False, indent=2) + "\n"
        (building / "dataset.json").write_text(text, encoding="utf-8", newline="\n")
        if place.is_dir():
            place.rmdir()
        building.rename(place)
    except OSError as error:
        raise HeadwayError(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Report(out, facts)


def form(corpus: Corpus) -> str:
    """The format that a corpus is written in."""
    if corpus.unit == "recordings":
        return "manifest"
    return "conll" if corpus.question == "tag" else "parallel" if corpus.languages else "tsv"


def _copy(files: Mapping[str, Path], names: Iterable[str], folder: Path) -> None:
    """Copy the files of these names, which were fingerprinted where they were unpacked."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[name], folder / name)


def _files(corpus: Corpus, part: str, rows: list[Record]) -> Iterator[tuple[str, Iterator[str]]]:
    if form(corpus) == "conll":
        yield f"{part}.conll", (_sentence(record) for record in rows)
    elif corpus.languages:
        source, target = corpus.languages
        yield f"{part}.{source}", (f"{record.source}\n" for record in rows)
        yield f"{part}.{target}", (f"{record.target}\n" for record in rows)
    else:
        yield f"{part}.tsv", _table_of(corpus, rows)


def _table_of(corpus: Corpus, rows: list[Record]) -> Iterator[str]:
    source, target = corpus.columns or (("text", "label") if corpus.question == "classify" else ("source", "target"))
    if corpus.unit == "recordings":
        source, target = "path", "label" if corpus.question == "classify" else "text"
    yield f"{source}\t{target}\n"
    for record in rows:
        yield f"{record.source}\t{record.target}\n"


def _sentence(record: Record) -> str:
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(record.source, record.target, strict=True)) + "\n"


def _write_lines(path: Path, lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for line in lines:
            data = line.encode()
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


def _facts(corpus: Corpus, made: Split, came: Provenance) -> dict[str, Any]:
    """All of `dataset.json`: no clock and no path, so that the same package gives the same bytes."""
    package = corpus.package
    return {
        "name": corpus.name,
        "title": corpus.title,
        "question": corpus.question,
        "format": form(corpus),
        "package": {
            "client": package.kind,
            "names": list(package.names),
            "version": came.version,
            "files": dict(came.files),
            "content": came.content,
            "content_expected": corpus.fingerprint or None,
        },
        "written_with": dict(came.tools),
        "licence": corpus.licence,
        "origin": corpus.origin,
        "recipe": corpus.recipe,
        "split": {
            "by": corpus.split_by,
            "rule": "as published" if corpus.official else "blake2b of the group, its first 8 bytes as a share of 2^64",
            "shares": None if corpus.official else corpus.shares._asdict(),
            "unit": corpus.unit,
            "parts": {part: _counts(corpus, rows) for part, rows in made.parts.items()},
        },
        "left_out": {
            "duplicates": made.duplicates,
            "contradictions": 0 if corpus.official else made.contradictions,
            "known_from_an_earlier_part": {} if corpus.official else dict(made.known),
            "unusable": {what: dict(counts) for what, counts in made.unusable.items()},
        },
        "kept_though_known": dict(made.known) if corpus.official else {},
        "kept_contradictions": made.contradictions if corpus.official else 0,
        "labels": _labels(corpus, made),
        "headway": __version__,
        "files": {},
    }


def _counts(corpus: Corpus, rows: list[Record]) -> dict[str, int]:
    counts = {"examples": len(rows), "elements": sum(_elements(corpus, record.source) for record in rows)}
    groups = len({record.group for record in rows})
    return counts if corpus.official else counts | {"groups": groups}


def _elements(corpus: Corpus, source: str | tuple[str, ...]) -> int:
    if corpus.unit == "recordings":
        return 1
    if isinstance(source, tuple):
        return len(source)
    return len(source) if corpus.unit == "characters" else len(source.split())


def _labels(corpus: Corpus, made: Split) -> dict[str, int]:
    """How often each label occurs, over all parts; empty where the target is a text or a number."""
    targets = (record.target for rows in made.parts.values() for record in rows)
    if corpus.question in ("regress", "transduce"):
        return {}
    if corpus.question == "tag":
        targets = (tag for tags in targets for tag in tags)
    return dict(sorted(Counter(str(target) for target in targets).items()))


def _table(facts: Mapping[str, Any]) -> list[str]:
    """The parts as a table that is readable as text and as Markdown."""
    unit = facts["split"]["unit"]
    parts = facts["split"]["parts"]
    rows = [("part", "examples", unit), *((n, f"{c['examples']:,}", f"{c['elements']:,}") for n, c in parts.items())]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"| {a:{wide[0]}} | {b:>{wide[1]}} | {c:>{wide[2]}} |" for a, b, c in rows]
    return [lines[0], f"|{'-' * (wide[0] + 2)}|{'-' * (wide[1] + 1)}:|{'-' * (wide[2] + 1)}:|", *lines[1:]]


def _left_out(facts: Mapping[str, Any]) -> list[str]:
    gone = facts["left_out"]
    said = [f"duplicates {gone['duplicates']:,}"] if gone["duplicates"] else []
    said += [f"texts with two labels {gone['contradictions']:,}"] if gone["contradictions"] else []
    known = _by_part(gone["known_from_an_earlier_part"])
    said += [f"known from an earlier part: {known}"] if known else []
    said += [f"{what}: {_by_part(counts)}" for what, counts in gone["unusable"].items()]
    kept = _by_part(facts["kept_though_known"])
    two = facts["kept_contradictions"]
    return [
        *(["", f"Left out: {'; '.join(said)}."] if said else []),
        *(["", f"Kept as published, though known from an earlier part: {kept}."] if kept else []),
        *(["", f"Kept as published, though with two labels: {two:,}."] if two else []),
    ]


def _by_part(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{part} {count:,}" for part, count in counts.items())


def _readme(facts: Mapping[str, Any]) -> str:
    package, shares = facts["package"], facts["split"]["shares"]
    made_from = " ".join(filter(None, [package["client"], *package["names"], package["version"]]))
    rule = (
        "The parts are those of the package."
        if shares is None
        else (
            f"Split by {facts['split']['by']}: "
            + ", ".join(f"{part} {share:.0%}" for part, share in shares.items())
            + f" ({facts['split']['rule']})."
        )
    )
    files, tools = _listed(facts["files"]), facts["written_with"].items()
    return "\n".join(
        [
            f"# {facts['title']}",
            "",
            facts["origin"],
            "",
            f"- question: {facts['question']}",
            f"- files: {files}: {FORMATS[facts['format']]}",
            f"- made from: {made_from}" + "".join(f", written with {name} {version}" for name, version in tools),
            f"- licence: {facts['licence']}",
            "",
            *_table(facts),
            *_left_out(facts),
            "",
            "## Recipe",
            "",
            f"{facts['recipe']} {rule}",
            "",
            f"Written by headway {facts['headway']} (`headway data get {facts['name']}`); checksums: `dataset.json`.",
            "",
        ]
    )


def _listed(files: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in files)
