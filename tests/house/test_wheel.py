"""What a user installs: a wheel with every file of the package, which works in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from headway.version import __version__
from little import data, options, tiny

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def done(*command: object, **more: object) -> str:
    """The output of a command that succeeds."""
    words = [str(word) for word in command]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    (found,) = out.glob("*.whl")
    return found


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    assert wheel.name == f"headway-{__version__}-py3-none-any.whl"
    package = ROOT / "src"
    files = {str(file.relative_to(package)) for file in package.rglob("*") if file.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == files and {"headway/py.typed", "headway/report/report.css"} <= held


def test_the_wheel_says_what_it_needs_and_its_licence(wheel):
    archive = zipfile.ZipFile(wheel)
    (folder,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    about = archive.read(f"{folder}/METADATA").decode()
    assert "License-Expression: Apache-2.0\n" in about and "Requires-Dist: torch<2.14,>=2.13\n" in about
    assert b"Apache License" in archive.read(f"{folder}/licenses/LICENSE")
    assert archive.read(f"{folder}/entry_points.txt").decode().split() == [
        "[console_scripts]", "headway", "=", "headway.cli:main"
    ]  # fmt: skip


def test_the_installed_wheel_trains_and_answers(wheel, tmp_path):
    """Without network: what headway needs is taken from this environment, headway itself from the wheel."""
    home = tmp_path / "venv"
    done(sys.executable, "-m", "venv", "--without-pip", home)
    python = next(path for path in (home / "bin" / "python", home / "Scripts" / "python.exe") if path.exists())
    paths = done(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    install = [
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-index",
    ]
    done(sys.executable, *install, wheel)
    Path(paths, "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    data("tag", tmp_path / "data")
    how = {"cwd": tmp_path, "env": {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}}
    where = done(python, "-c", "import headway; print(headway.__file__)", **how).strip()
    assert Path(where).is_relative_to(home)
    command = [python.with_name(python.name.replace("python", "headway"))]
    assert done(*command, "--version", **how).strip() == f"headway {__version__}"
    trained = done(*command, "train", "data", "--out", "run", *options(tiny("tag")), **how)
    assert "next: headway predict run" in trained
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert (ROOT / "src" / "headway" / "report" / "report.css").read_text(encoding="utf-8").split("{")[0] in page
    answered = done(*command, "predict", "run", "--text", "ant bee", **how)
    assert [token.partition("/")[0] for token in answered.split()] == ["ant", "bee"]
