"""A clock for processes that wait, and the limits that they wait at.

A process is a generator that yields the seconds until it goes on. Nothing runs beside anything else, so that
a run with the same dice ends in the same way.
"""

from collections.abc import Generator
from heapq import heappop, heappush
from itertools import count

Process = Generator[float, None, None]


class Clock:
    """`now` is in seconds since the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Process]] = []
        self._order = count()

    def start(self, process: Process, seconds: float = 0.0) -> None:
        """Let the process go on after that time."""
        heappush(self._due, (self.now + seconds, next(self._order), process))

    def run(self) -> None:
        """Until every process has ended."""
        while self._due:
            self.now, _, process = heappop(self._due)
            wait = next(process, None)
            if wait is not None:
                self.start(process, wait)


class Bucket:
    """Tokens that come back at a steady rate, up to the bucket's size."""

    def __init__(self, clock: Clock, size: float, per_second: float) -> None:
        self._clock, self._size, self._per_second = clock, size, per_second
        self._tokens, self._at = float(size), 0.0

    def take(self, tokens: float = 1.0) -> bool:
        """Whether there were so many; none is taken if not."""
        self._refill()
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def turn(self) -> float:
        """Take a token that may not be there yet, and return the seconds until it is."""
        self._refill()
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._per_second)

    def _refill(self) -> None:
        seconds, self._at = self._clock.now - self._at, self._clock.now
        self._tokens = min(self._size, self._tokens + seconds * self._per_second)


class Environments:
    """Lambda's: one for each call that runs, warm if an earlier call of the function has ended."""

    def __init__(self, clock: Clock, at_once: int, new_per_10_seconds: int) -> None:
        self._clock, self._left, self._new = clock, at_once, new_per_10_seconds
        self._warm: dict[str, int] = {}
        self._scaling: dict[str, Bucket] = {}

    def enter(self, function: str) -> str | None:
        """`warm`, `cold`, or None for a call that is throttled."""
        if not self._left:
            return None
        if self._warm.get(function):
            self._warm[function] -= 1
            self._left -= 1
            return "warm"
        scaling = self._scaling.setdefault(function, Bucket(self._clock, self._new, self._new / 10))
        if not scaling.take():
            return None
        self._left -= 1
        return "cold"

    def leave(self, function: str) -> None:
        self._left += 1
        self._warm[function] = self._warm.get(function, 0) + 1
