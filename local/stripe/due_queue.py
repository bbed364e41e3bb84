"""A queue whose items become available at their time."""

import heapq
import itertools
import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class DueQueue(Generic[Item]):
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Item]] = []
        self._order = itertools.count()
        self._closed = False

    def put(self, item: Item, after: float = 0.0) -> None:
        """Make the item available in `after` seconds; equal times keep their order."""
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + after, next(self._order), item))
            self._changed.notify()

    def get(self) -> Item | None:
        """Wait for an item to become available and take it; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                if not self._heap:
                    self._changed.wait()
                elif (wait := self._heap[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait)
                else:
                    return heapq.heappop(self._heap)[2]
            return None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
