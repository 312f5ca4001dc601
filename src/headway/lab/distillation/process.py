"""A process that writes its share of the pieces: `python -m headway.lab.distillation.process OUT`.

It is told the numbers of its pieces, and tells every piece that it has written.
"""

import sys
from pathlib import Path

from headway.errors import HeadwayError
from headway.lab.distillation.task import UNFINISHED, Task
from headway.lab.distillation.writing import Writing, data_for, teacher
from headway.processes import share, tell


def main(out: Path) -> int:
    """Write the pieces that are asked for; the exit code."""
    numbers = share()
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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
