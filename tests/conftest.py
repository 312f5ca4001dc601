"""What holds for every test: the same random numbers at every run, and no deadline on a shared machine.

Nothing of headway is imported here: jaxtyping must see its import first, so that shapes are checked.
"""

import signal

import pytest
import torch
from hypothesis import settings

settings.register_profile("headway", deadline=None, derandomize=True, max_examples=12)
settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=60)  # of `make test-all`
settings.load_profile("headway")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as behind `nohup … &`; the commands under test must hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory):
    """Tiny trained runs that tests may read: `runs("tag")` is the folder of one."""
    from little import Runs

    return Runs(tmp_path_factory.mktemp("runs"))
