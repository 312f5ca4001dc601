"""The files of a race: race.md, race.html and race.json."""

import json
from pathlib import Path

from headway import storage
from headway.lab.race.markdown import markdown
from headway.lab.race.page import page
from headway.lab.race.results import Results


def write_results(results: Results, folder: Path) -> None:
    """Everything, to read, to look at, and for machines. Raises RunError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage.not_written(folder, error) from error
    storage.write(folder / "race.md", markdown(results).encode())
    storage.write(folder / "race.html", page(results).encode())
    storage.write(folder / "race.json", json.dumps(results.as_json(), ensure_ascii=False).encode() + b"\n")
