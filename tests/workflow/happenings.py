"""What a test has happen to a piece of work: before it, so that it is never done, or after it was done."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Done = TypeVar("Done")


@dataclass(frozen=True)
class Happening:
    """`act` may raise; with `after_effect` it acts once the work is done, as when an answer is lost."""

    act: Callable[[], object]
    after_effect: bool = False


class Happenings:
    """Plans for pieces of work by name; each run of a piece uses up the first one that is left."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Happening]] = {}

    def plan(self, name: str, happening: Happening, times: int = 1) -> None:
        self._planned.setdefault(name, deque()).extend([happening] * times)

    def run(self, name: str, work: Callable[[], Done]) -> Done:
        planned = self._planned.get(name)
        happening = planned.popleft() if planned else None
        if happening and not happening.after_effect:
            happening.act()
        done = work()
        if happening and happening.after_effect:
            happening.act()
        return done

    @property
    def left(self) -> list[str]:
        """The names with plans that were not used: a test that leaves some has not tested what it says."""
        return [name for name, planned in self._planned.items() if planned]


def failing(error: Exception, *, after_effect: bool = False) -> Happening:
    def fail() -> None:
        raise error

    return Happening(fail, after_effect)
