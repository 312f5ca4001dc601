"""Who may compute: a few at a time, in the order in which they came."""

import threading
from typing import Any


class Turns:
    """A semaphore that is fair: who gives its turn back and wants another stands behind all that wait.

    together    turns that are taken at a time
    """

    def __init__(self, together: int = 1):
        self._changed = threading.Condition()
        self._drawn, self._let_in = 0, together

    def __enter__(self) -> None:
        with self._changed:
            mine = self._drawn
            self._drawn += 1
            self._changed.wait_for(lambda: mine < self._let_in)

    def __exit__(self, *_: Any) -> None:
        with self._changed:
            self._let_in += 1
            self._changed.notify_all()
