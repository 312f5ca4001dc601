"""Molecules as people have them: SDF with data items, .mol files that tables and folders name, SMILES in JSON."""

from pathlib import Path
from typing import Any

import pytest
from reading import read, refusal, write

import graphs
from headway import Example, Graph
from headway.data.checking import check
from headway.data.checks import Finding
from headway.data.formats import by_suffix
from headway.data.loading import DataSet, open_data
from headway.data.settings import DataSettings
from headway.data.sources import kind_of
from headway.data.sources._molecules import MOST_WRITTEN, Smiles, smiles_of
from headway.data.sources.graph import SourceGraph
from headway.errors import DataError, UsageError, Where
from headway.planning import outline

ASTRAY = """

  charged beyond all measure
  2  1  0  0
 0  00  000    0 0000    0 0000 C    88         90000
    1.0000    0.0000    0.0000 O   0  0
  1  2  0
M  END
"""
"""On which rdkit's search for what is wrong ends in a failed check of its own."""
AMINE = graphs.MOL.replace(" O ", " N ").replace("ethanol", "")


def records(*items: dict[str, object]) -> str:
    """An SDF file of ethanol again and again, with these data items."""
    return "".join(
        graphs.MOL + "".join(f"> <{name}>\n{value}\n\n" for name, value in found.items()) + "$$$$\n" for found in items
    )


def opened(path: Path, **settings: Any) -> DataSet:
    return open_data(path, DataSettings(**settings))


ROWS = [{"ID": number, "logP": number / 7, "rank": ("(A) low", "(B) high")[number % 2]} for number in range(30)]


class TestSdf:
    def test_without_a_choice_the_complaint_says_which_data_items_there_are(self, tmp_path):
        path = write(tmp_path, "a.sdf", records(*ROWS))
        with pytest.raises(UsageError) as caught:
            opened(tmp_path, train=(str(path),))
        assert "no target was found in 30 rows; the first is" in str(caught.value)
        assert str(caught.value).endswith("The data items are ID, logP, rank; choose by name: --data.target NAME")

    def test_without_data_items_the_complaint_says_so(self, tmp_path):
        with pytest.raises(UsageError, match=r"No record has a data item \(`> <NAME>`, its value below it\)"):
            opened(write(tmp_path, "a.mol", graphs.MOL))

    @pytest.mark.parametrize(("name", "task"), [("logp", "regress"), ("rank", "classify")])
    def test_what_was_chosen_is_the_question_and_is_said(self, tmp_path, name, task):
        path = write(tmp_path, "a.sdf", records(*ROWS))
        found = opened(tmp_path, train=(str(path),), valid=(str(path),), target=(name,))
        assert found.recognized.task == task and found.kind == "graph"
        assert found.recognized.reason.casefold().endswith(f"; data item {name}")

    def test_the_only_data_item_that_can_be_the_target_is_it(self, tmp_path):
        path = write(tmp_path, "a.sdf", records(*({"ID": n, "SOL": n / 7} for n in range(9))))
        found = opened(tmp_path, train=(str(path),), valid=(str(path),))
        assert found.recognized.reason.endswith("; data item SOL")

    def test_a_slip_of_the_pen_is_refused_for_the_file_whatever_is_skipped(self, tmp_path):
        path = write(tmp_path, "a.sdf", records(*ROWS))
        with pytest.raises(DataError, match=r"^[^:]*a.sdf: no data item called 'logD'; there are: ID, logP, rank."):
            opened(path, target=("logD",), on_bad="skip")

    def test_not_every_record_has_every_data_item(self, tmp_path):
        path = write(tmp_path, "a.sdf", records({"ID": 1}, {"ID": 2, "SOL": -1.5}, {"ID": 3, "SOL": ""}))
        assert [example.target for example in read("sdf", path, None, "sol")] == [None, "-1.5", None]
        assert [example.target for example in read("sdf", path)] == [None, "-1.5", None]

    def test_what_looks_like_the_name_of_an_item_inside_a_block_is_none(self, tmp_path):
        path = write(tmp_path, "a.sdf", records({"SOL": 1}).replace("ethanol", "> <ethanol>"))
        assert "there are: SOL." in refusal("sdf", path, None, "ethanol")


class TestSmi:
    def test_what_stands_behind_the_smiles_is_its_name_and_not_every_molecule_has_one(self, tmp_path):
        path = write(tmp_path, "a.smi", "CCO\nCC(=O)O acetic  acid\nCN\tmethylamine\n")
        found = read("smi", path)
        assert [example.source for example in found] == ["CCO", "CC(=O)O", "CN"] and kind_of(found) == "graph"
        assert [example.target for example in found] == ["", "acetic  acid", "methylamine"]
        assert by_suffix(path) == "smi"
        with pytest.raises(UsageError, match=r"In a .smi file the target stands behind the SMILES, parted from it by"):
            opened(write(tmp_path, "b.smi", "CCO\nCN\n"))

    @pytest.mark.parametrize("text", ["CCO 1.5\nCC 2.5\n", "SMILES\tlogS\nCCO\t1.5\nCC\t2.5\n"])
    def test_a_number_there_is_the_target(self, tmp_path, text):
        path = write(tmp_path, "a.smi", text)
        found = opened(tmp_path, train=(str(path),), valid=(str(path),))
        assert found.kind == "graph" and [example.target for example in found.examples("train")] == [1.5, 2.5]

    def test_columns_behind_tabs_are_chosen(self, tmp_path):
        path = write(tmp_path, "a.smi", "smiles\tID\tlogS\tmp\nCCO\t7\t1.5\t300\n")
        assert [example.target for example in read("smi", path, None, "mp")] == ["300"]
        with pytest.raises(UsageError, match="The columns are smiles, ID, logS, mp; choose by name"):
            opened(path)

    def test_complaints_name_the_line(self, tmp_path):
        path = write(tmp_path, "a.smi", "CCO 1.5\n\nC1CC 2.5\n")
        assert refusal("smi", path).startswith("a.smi:2: the row is empty")
        path = write(tmp_path, "a.smi", "CCO 1.5\nC1CC 2.5\n")
        with pytest.raises(DataError, match=r"a.smi:2: the SMILES 'C1CC' is no molecule"):
            opened(path, valid=(str(path),)).examples("train")


class TestTables:
    def test_without_a_choice_the_complaint_says_which_columns_there_are(self, tmp_path):
        for name, mark in (("a.csv", ","), ("a.tsv", "\t")):
            rows = [("Name", "SMILES", "logS"), ("one", "CCO", "1.5"), ("two", "CC", "2.5")]
            path = write(tmp_path, name, "".join(mark.join(row) + "\n" for row in rows))
            with pytest.raises(UsageError) as caught:
                opened(path)
            assert str(caught.value).endswith(
                "The columns are Name, SMILES, logS; choose by name: --data.source NAME --data.target NAME"
            )
            assert opened(tmp_path, train=(str(path),), valid=(str(path),), target=("logs",)).kind == "graph"

    def test_keys_of_json_likewise(self, tmp_path):
        path = write(tmp_path, "a.jsonl", '{"smiles": "CCO", "a": 1, "b": 2}\n' * 3)
        with pytest.raises(UsageError, match=r"The keys are smiles, a, b; choose by name: --data.source"):
            opened(path)

    def test_what_stands_under_smiles_in_json_is_a_molecule(self, tmp_path):
        path = write(tmp_path, "a.jsonl", '{"Smiles": "CCO", "logS": -1.5}\n')
        (found,) = read("jsonl", path)
        assert isinstance(found.source, Smiles) and found.target == -1.5 and kind_of([found]) == "graph"
        (found,) = read("jsonl", write(tmp_path, "b.jsonl", '{"text": "CCO", "logS": -1.5}\n'))
        assert kind_of([found]) == "text"

    def test_a_table_names_files(self, tmp_path):
        write(tmp_path, "one.mol", graphs.MOL)
        write(tmp_path, "two.MOL", AMINE)
        path = write(tmp_path, "train.tsv", "path\tlabel\none.mol\ta\ntwo.MOL\tb\n")
        found = opened(tmp_path, valid=(str(path),), task="classify")
        one, two = found.examples("train")
        assert found.kind == "graph" and (one.target, two.target) == ("a", "b")
        assert [str(one.source), str(two.source)] == ["ethanol", "two.MOL"] and two.source.words == ("C", "C", "N")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, r"there is no such file; names are relative to"),
            ("", "is empty"),
            (graphs.MOL.replace(" O ", " Zz"), r"the MOL block in .*one.mol is no molecule that rdkit understands"),
            (ASTRAY, r"the MOL block in .*one.mol is no molecule .*: its atoms and bonds do not fit together"),
        ],
    )
    def test_a_file_that_is_none_is_refused_with_the_line_that_names_it(self, tmp_path, content, said):
        if content is not None:
            write(tmp_path, "one.mol", content)
        path = write(tmp_path, "train.tsv", "path\tlabel\none.mol\ta\n")
        with pytest.raises(DataError, match=rf"train.tsv:2: .*{said}"):
            opened(tmp_path, task="classify", valid=(str(path),)).examples("train")


class TestFolders:
    def test_names_of_folders_are_labels_of_the_molecules_in_them(self, tmp_path):
        for part in ("train", "valid"):
            for number in range(4):
                label = ("alcohol", "amine")[number % 2]
                (tmp_path / part / label).mkdir(parents=True, exist_ok=True)
                write(tmp_path / part / label, f"{number}.mol", (graphs.MOL, AMINE)[number % 2])
        found = opened(tmp_path)
        assert found.kind == "graph" and found.recognized.task == "classify"
        assert [(example.source.words[2], example.target) for example in found.examples("train")] == [
            *[("O", "alcohol")] * 2,
            *[("N", "amine")] * 2,
        ]
        write(tmp_path / "train" / "amine", "9.mol", "no block\n")
        with pytest.raises(DataError, match=r"amine/9.mol: the MOL block in .*9.mol is no molecule"):
            found.examples("train")

    def test_a_folder_without_labels_says_what_is_expected(self, tmp_path):
        write(tmp_path, "one.mol", graphs.MOL)
        with pytest.raises(UsageError, match=r"or folders of sounds, vectors or molecules \(.mol\), each named by its"):
            opened(tmp_path)


def test_what_a_person_types_or_a_client_sends_is_never_a_path(tmp_path, monkeypatch):
    write(tmp_path, "one.mol", graphs.MOL)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^input: the SMILES 'one.mol' is no molecule"):
        SourceGraph.opened(Example("one.mol"), DataSettings())
    assert isinstance(SourceGraph.opened(Example("CCO"), DataSettings()).source, Graph)


# ------------------------------------------------------------------------------------------------------- one molecule


def molecule(smiles: str) -> Graph:
    return SourceGraph.opened(Example(smiles), DataSettings()).source


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CCO", "OCC", True),
        ("c1ccccc1C", "CC1=CC=CC=C1", True),
        ("C/C=C/C", "C\\C=C\\C", True),
        ("C/C=C/C", "C/C=C\\C", False),
        ("[13CH3]O", "OC", True),
        ("[CH3:1]O", "OC", True),
        ("C[C@H](N)O", "O[C@H](C)N", True),
        ("C[C@H](N)O", "C[C@@H](N)O", False),
        ("CCO", "COC", False),
        ("C1CCC2CCCCC2C1", "C1CCC(C1)C1CCCC1", False),
    ],
)
def test_a_molecule_is_one_thing_however_it_is_written(one, other, same):
    assert (molecule(one).identity() == molecule(other).identity()) is same
    assert molecule(one) != molecule(other) or same  # what is equal as it stands is one thing


@pytest.mark.parametrize(
    ("smiles", "sides"),
    [
        ("N[C@@H](C)C(=O)O", ["S"]),  # L-alanine
        ("N[C@H](C)C(=O)O", ["R"]),
        ("C[C@H]1CC[C@H](C)CC1", ["r", "r"]),  # trans: neither is left or right by itself
        ("C[C@@H]1CC[C@H](C)CC1", ["s", "s"]),  # cis
        ("OC(=O)/C=C/C(=O)O", ["E"]),  # fumaric acid
        ("OC(=O)/C=C\\C(=O)O", ["Z"]),  # maleic acid
        ("OC(=O)C=CC(=O)O", []),
        ("C/C=C/Br(F)(F)F", ["E"]),  # a valence too large
    ],
)
def test_sides_are_told_by_their_names_and_not_by_the_order_of_the_atoms(smiles, sides):
    from rdkit import Chem

    def told(graph: Graph) -> list[str]:
        atoms = [str(node["chirality"]) for node in graph.nodes if node["chirality"] != "none"]
        return sorted(atoms + [str(bond["stereo"]) for bond in graph.features if "stereo" in bond])

    written = Chem.MolFromSmiles(smiles, sanitize=False)
    assert told(molecule(smiles)) == sides
    for start in range(written.GetNumAtoms()):
        turned = molecule(Chem.MolToSmiles(written, rootedAtAtom=start, canonical=False))
        assert told(turned) == sides and turned.identity() == molecule(smiles).identity()


def test_of_a_molecule_that_is_too_large_to_be_written_no_smiles_is_made():
    large = molecule("C" * (MOST_WRITTEN + 1))
    assert not large.same and large.identity() == large.content()
    rows = "".join(f"{place:10.4f}{0:10.4f}{0:10.4f} C   0  0\n" for place in range(MOST_WRITTEN + 1))
    block = f"many\n\n\n{MOST_WRITTEN + 1:3}  0  0  0  0  0  0  0  0  0999 V2000\n{rows}M  END\n"
    with pytest.raises(DataError, match=r"^a.sdf:7: the molecule has 501 atoms, and SMILES are written of 500 at most"):
        smiles_of(block, Where("a.sdf", 7))


def test_check_finds_a_molecule_of_another_part_that_is_written_otherwise(tmp_path):
    write(tmp_path, "train.tsv", "smiles\ttarget\n" + "".join(f"{'C' * n}O\t{n}.5\n" for n in range(1, 9)))
    write(tmp_path, "valid.tsv", "smiles\ttarget\nNCC\t1.5\nCCN\t2.5\n")
    write(tmp_path, "test.tsv", "smiles\ttarget\nOCC\t2.5\nC(O)CC\t1.5\nCCCN\t0.5\n")
    found, setup, _ = outline(tmp_path)
    said = {one.check: one for one in check(found, setup).findings if one.severity != "ok"}
    leak = said["leakage"]
    assert leak.what.startswith("2 of 3 sources of the test part (66.7%) are in the train part")
    assert [place.where.line for place in leak.places] == [2, 3] and "canonical SMILES" in leak.advice
    assert said["contradictions"].places[0].where == Where(tmp_path / "valid.tsv", 3)


# ------------------------------------------------------------------------------------------------------ read as a text


def told(folder: Path, *sources: str) -> list[Finding]:
    """What is said of SMILES that are no molecules, where these sources and a number each are a table."""
    folder.mkdir(exist_ok=True)
    write(folder, "train.tsv", "".join(f"{source}\t{n}.5\n" for n, source in enumerate(sources)))
    write(folder, "valid.tsv", "a film\t1.5\n")
    found, setup, _ = outline(folder)
    return [one for one in check(found, setup).findings if one.check == "smiles"]


def test_smiles_without_a_header_are_told_to_be_read_as_text(tmp_path):
    smiles = [
        "CC(=O)N",
        "c1ccccc1Cl",
        "[NH4+].[Cl-]",
        "C/C=C/C",
        "CCCO",
        "C%10CCC%10",
        "CC#N ethyl",
        "OCC(O)C",
        "BrCC=C",
    ]
    (finding,) = told(tmp_path / "a", *smiles * 2)
    assert finding.severity == "warning" and "18 of 18 sources" in finding.what
    assert finding.places[0].where == Where(tmp_path / "a" / "train.tsv", 1)
    assert "--model.input graph" in finding.advice
    assert not told(tmp_path / "b", *smiles)  # too few to tell
    assert not told(tmp_path / "c", *smiles, *(f"film {number} was good" for number in range(9)))
    assert not told(tmp_path / "d", *("COCO", "CON", "NO", "ICON", "SPIN") * 4)  # words without a ring or a bond
