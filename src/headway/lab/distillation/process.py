"""A process that writes its share of the pieces: `python -m headway.lab.distillation.process OUT`.

The numbers of its pieces are the first line of its input. It tells every piece as a line of JSON on standard output,
and ends at once when its input ends, as it does when whoever started it has died.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError
from headway.lab.distillation.task import UNFINISHED, Task
from headway.lab.distillation.writing import Writing, data_for, teacher


def main(out: Path) -> int:
    """Write the pieces that are asked for; the exit code."""
    numbers = json.loads(sys.stdin.readline())
    threading.Thread(target=_obey, daemon=True).start()
    try:
        folder = out / UNFINISHED
        task = Task.read(folder)
        predictor = teacher(task.run)
        writing = Writing(task, predictor, data_for(predictor, Path(task.data)).examples("train"), folder)
        for count in writing.write(numbers):
            tell(count=count)
        return 0
    except HeadwayError as error:
        tell(failed=str(error))
        return error.exit_code


def tell(**values: Any) -> None:
    """A line for whoever started this process."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _obey() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # at once and anywhere: pieces are whole or not there


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
