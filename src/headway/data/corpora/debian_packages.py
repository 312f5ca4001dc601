"""Package to section: one large graph of dependencies, of whose nodes the labels are asked."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from headway.data.corpora import Corpus, Package, Record, Shares

EDGES = ("Depends", "Pre-Depends", "Recommends", "Suggests")
"""Fields that name other packages."""


class DebianPackages(Corpus):
    title = "Debian packages (node of a dependency graph to section)"
    question = "classify"
    about = "The packages that this machine's apt knows (63,000 in bookworm), by whom they need; 58 sections."
    package = Package("index", ("dumpavail",), "", 50.0)
    members = ("Packages",)
    licence = "the package index of the Debian project; free to use"
    origin = (
        "The index of this machine's own package sources, so it changes with every point release: say with each "
        "figure which one it was. Sections are given by the maintainers. There is no text: a package is its name and "
        "its edges."
    )
    recipe = (
        "Paragraphs of the index; nodes are packages, edges the first name of each alternative of Depends, "
        "Pre-Depends, Recommends and Suggests that is in the index, the first of these fields where two name the same."
    )
    split_by = "package"
    shares = Shares(0.72, 0.08, 0.2)
    columns = ("node", "label")

    def records(self, root: Path) -> Iterator[Record]:
        for name, fields in sorted(_packages(root / "Packages").items()):
            if section := fields.get("Section", "").rpartition("/")[2]:
                yield Record(name, name, section)

    def beside(self, root: Path) -> Mapping[str, Iterable[str]]:
        packages = _packages(root / "Packages")
        return {"graph.json": _graph(packages)}


def _packages(path: Path) -> dict[str, dict[str, str]]:
    """The fields of every package that are read, by its name; the first paragraph of a name counts."""
    found: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    with path.open(encoding="utf-8") as file:
        for line in (*file, "\n"):
            name, colon, value = line.partition(":")
            if not line.strip():
                if "Package" in fields:
                    found.setdefault(fields["Package"], fields)
                fields = {}
            elif colon and not line[0].isspace() and name in ("Package", "Section", *EDGES):
                fields[name] = value.strip()
    return found


def _graph(packages: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The file, a node and an edge a line."""
    yield '{"directed": true,\n"nodes": [\n'
    names = sorted(packages)
    place = {name: number for number, name in enumerate(names)}
    yield ",\n".join(json.dumps({"id": name, "name": name}) for name in names)
    yield '\n],\n"edges": [\n'
    yield ",\n".join(json.dumps([names[i], names[j], kind]) for i, j, kind in _edges(packages, place))
    yield "\n]}\n"


def _edges(packages: Mapping[str, Mapping[str, str]], place: Mapping[str, int]) -> Iterator[tuple[int, int, str]]:
    for name, number in place.items():
        seen = {number}
        for field in EDGES:
            for part in re.split(r"[,|]", packages[name].get(field, "")):
                other = place.get(re.split(r"[\s:(]", part.strip(), maxsplit=1)[0])
                if other is not None and other not in seen:
                    seen.add(other)
                    yield number, other, field.lower()
