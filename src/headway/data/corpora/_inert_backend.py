"""Stands in for `setuptools.build_meta` while pip downloads a source distribution. It runs alone, without headway.

Before pip keeps a source distribution it asks for its metadata, and setuptools would answer by running the package's
`setup.py`. Nothing of a package needs to run for its data to be read, so pip is shown this instead, which copies the
answer that lies in the package already. It is the interface of PEP 517, as far as pip calls it.
"""

from pathlib import Path
from typing import Any


class _Inert:
    def get_requires_for_build_wheel(self, config_settings: Any = None) -> list[str]:
        """Nothing is needed for copying a file."""
        return []

    def prepare_metadata_for_build_wheel(self, metadata_directory: str, config_settings: Any = None) -> str:
        """Copy PKG-INFO, which lies in the top folder of every source distribution; pip runs us in that folder."""
        text = Path("PKG-INFO").read_text(encoding="utf-8", errors="replace")
        said = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        folder = Path(metadata_directory) / f"{said['Name']}-{said['Version']}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(text, encoding="utf-8")
        return folder.name


inert = _Inert()
get_requires_for_build_wheel = inert.get_requires_for_build_wheel
prepare_metadata_for_build_wheel = inert.prepare_metadata_for_build_wheel
__legacy__ = inert
"""Where a package says nothing about how it is built, pip asks `setuptools.build_meta:__legacy__`."""
