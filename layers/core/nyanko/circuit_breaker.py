"""Stops calling a service that does not answer, so that nobody waits for it."""

from collections.abc import Callable


class CircuitBreaker:
    """Opens after `max_failures` consecutive failures and stays open for `open_seconds`.

    closed ──max_failures in a row──► open ──open_seconds──► one trial ──success──► closed
                                       ▲                         │
                                       └─────────failure─────────┘
    """

    def __init__(self, max_failures: int, open_seconds: float, now: Callable[[], float]) -> None:
        self._max_failures = max_failures
        self._open_seconds = open_seconds
        self._now = now
        self._failures = 0
        self._opened_at = 0.0

    @property
    def is_open(self) -> bool:
        opened = self._failures >= self._max_failures
        return opened and self._now() - self._opened_at < self._open_seconds

    def failed(self) -> None:
        self._failures += 1
        self._opened_at = self._now()

    def succeeded(self) -> None:
        self._failures = 0
