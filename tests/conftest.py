"""What holds for every test: the same random numbers at every run, and no deadline on a shared machine.

Nothing of headway is imported here: jaxtyping must see its import first, so that shapes are checked.
"""

import signal
from zlib import crc32

import pytest
import torch
from hypothesis import settings

settings.register_profile("headway", deadline=None, derandomize=True, max_examples=12)
settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=60)  # of `make test-all`
settings.load_profile("headway")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as behind `nohup … &`; the commands under test must hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test marked `sampled(n)`, the first case and about one in n of the others are quick; the rest are long."""
    seen: set[str] = set()
    for item in items:
        mark, test = item.get_closest_marker("sampled"), item.nodeid.partition("[")[0]
        if mark is not None and test in seen and crc32(item.nodeid.encode()) % mark.args[0]:
            item.add_marker(pytest.mark.long)
        seen.add(test)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory):
    """Tiny trained runs that tests may read: `runs("tag")` is the folder of one."""
    from little import Runs

    return Runs(tmp_path_factory.mktemp("runs"))
