"""How long a worker that could begin waits for more requests, so that they share a batch: measured, and mostly not."""

from collections.abc import Callable
from time import monotonic

TRIAL = 12
"""Batches over which a rate is measured."""
KEPT = 40 * TRIAL
"""Batches for which what was found is kept."""
WORTH = 1.05
"""How much faster waiting must be, measured, before it is done."""


class Window:
    """Waits only where waiting answers more rows a second.

    What comes in while a batch is answered is the next batch, so nobody waits for others while the worker is idle, and
    a wait can only bring together clients that come back at nearly the same time. Whether that pays depends on the
    machine, the model and the clients: with two clients a batch or more, TRIAL batches are answered without a wait and
    TRIAL with one, and what was faster is done for the next KEPT batches. Waiting is off until it has won.

    most    seconds that a row waits at most; 0 for one request a batch, so that no two clients share one
    """

    def __init__(self, most: float = 0.003, clock: Callable[[], float] = monotonic):
        self.most, self.clock = most, clock
        self.open = False
        self.last = 1
        self._rates: list[float] = []
        self._left = TRIAL
        self._rows, self._since = 0, clock()

    @property
    def together(self) -> bool:
        """Whether different requests share a batch at all."""
        return self.most > 0

    def wait(self, requests: int) -> float:
        """Seconds to wait at most for as many requests as the last batch had, where so many are here."""
        return self.most if self.open and requests < self.last else 0.0

    def answered(self, requests: int, rows: int) -> None:
        """A batch was answered."""
        self.last = requests
        if not self.together:
            return
        self._rows += rows
        self._left -= 1
        if self._left <= 0:
            self._decide(self._rows / max(self.clock() - self._since, 1e-9))
            self._rows, self._since = 0, self.clock()

    def _decide(self, rate: float) -> None:
        """Begin with a rate without a wait; then one with it; then keep the better."""
        if self.last < 2:
            self.open, self._rates, self._left = False, [], TRIAL
            return
        self._rates.append(rate)
        if len(self._rates) == 1:
            self.open, self._left = True, TRIAL
        elif len(self._rates) == 2:
            without, waiting = self._rates
            self.open, self._left = waiting > WORTH * without, KEPT
        else:
            self.open, self._rates, self._left = False, [], TRIAL
