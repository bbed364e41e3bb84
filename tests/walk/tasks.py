"""Tasks that take turns in one thread, from one call of AWS or Stripe to the next.

A task runs until it is about to make a call; then another may have its turn. So every order in which calls
can meet can be played, and is played again from the same choices. Each task is a greenlet: the code in it is
the shipped code and knows nothing of turns.

    task ── call ──► turn ends                        a function that a task invokes is a greenlet of its own:
              │                                       it can be killed, or go on when nobody waits for it
              └─ goes well, or one fault of `FAULTS`
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol, TypeVar, get_args
from zlib import crc32

from greenlet import GreenletExit, getcurrent, greenlet

Answer = TypeVar("Answer")

Fault = Literal["refused", "throttled", "conflict", "lost", "repeated", "crash before", "crash after", "hang"]
"""What may happen to a call: it is not carried out (refused, throttled, conflict); it is carried out and its
answer is lost, or it is sent again and carried out twice (repeated); the process ends before or after it; or
it is carried out later, when nobody waits for it any more (hang)."""

FAULTS: tuple[Fault, ...] = get_args(Fault)
ENDLESS = 1_000_000


class Refuse(Protocol):
    def __call__(self, fault: Fault) -> Exception:
        """The error that a service's client raises for a fault."""
        ...


@dataclass(frozen=True)
class Breakage:
    """A process meets the fault at the call of this number, from 1."""

    call: int
    fault: "Fault"


class Process(greenlet):  # type: ignore[misc] # it comes without types
    """What runs by itself, until `deadline` (epoch seconds UTC) at the latest; it has made so many calls."""

    deadline = inf
    breakage: Breakage | None = None
    calls = 0

    @property
    def is_under_way(self) -> bool:
        return self.gr_frame is not None


class Crash(BaseException):
    """A process ends: no `except Exception` sees it."""


class Hung(BaseException):
    """Nobody waits for the answer any more."""


class Crashed(Exception):
    """A function's process ended before it answered."""


class TimedOut(Exception):
    """A function did not answer in time. It may still be at work."""


@dataclass(eq=False)
class Task:
    """`stack` are its greenlets: its own, and that of the function that it waits for, if any. It sleeps until
    `wakes_at` (epoch seconds UTC)."""

    name: str
    stack: list[Process] = field(default_factory=list)
    wakes_at: float = 0
    calls_left: int = 0
    fault: Fault | None = None


class Tasks:
    """`live` are the tasks that have not ended, the oldest first; `looked` is called after each call that was
    carried out. `calls` and `faults` count, `turns` are the times that a task was told to go on, `schedule`
    stands for the order of all calls. `say` hears of each.
    """

    def __init__(self, now: Callable[[], float], looked: Callable[[], object]) -> None:
        self.live: list[Task] = []
        self.calls = 0
        self.turns = 0
        self.faults = 0
        self.schedule = 0
        self.say: Callable[[str], object] | None = None
        self._now = now
        self._looked = looked
        self._hub = getcurrent()
        self._running: Task | None = None

    # ─── Outside of tasks ───────────────────────────────────────────────────────────────────────────────────

    def start(self, name: str, work: Callable[[], object], seconds: float = inf) -> Task:
        """Begin a task that has so much time."""
        task = Task(name)
        task.stack.append(Process(lambda: _until_crash(work), parent=self._hub))
        task.stack[0].deadline = self._now() + seconds
        self.live.append(task)
        return task

    def run(self, task: Task, calls: int = ENDLESS, fault: Fault | None = None) -> None:
        """Let the task go on for so many calls, the last of which meets the fault.

        It stops before its next call, where it sleeps, or at its end.
        """
        task.calls_left, task.fault = calls, fault
        self.turns += 1
        self._switch(task, task.stack[-1].switch)

    def abort(self, task: Task) -> None:
        """End a task at once. A function that it waits for goes on by itself."""
        if not task.stack[0].is_under_way:
            self.live.remove(task)
            return
        if len(task.stack) > 1:
            self._detach(task)
        self._switch(task, lambda: task.stack[0].throw(Crash()))

    def close(self) -> None:
        """End all tasks without another call."""
        for task in self.live:
            while task.stack:
                one = task.stack.pop()
                if one.is_under_way:
                    one.parent = self._hub
                    one.throw(GreenletExit())
        self.live.clear()

    def _switch(self, task: Task, switch: Callable[[], object]) -> None:
        before, self._running = self._running, task
        try:
            hung = switch() == "hang"
        finally:
            self._running = before
        if hung:
            self._hang(task)
        elif task.stack and task.stack[0].dead and task in self.live:
            self.live.remove(task)

    def _hang(self, task: Task) -> None:
        if len(task.stack) == 1:
            self.abort(task)
            return
        self._detach(task)
        task.calls_left = 0
        self._switch(task, lambda: task.stack[0].throw(Hung()))

    def _detach(self, task: Task) -> None:
        left = task.stack.pop()
        left.parent = self._hub
        self.live.append(Task(f"{task.name}, left alone", [left]))

    # ─── Within a task ──────────────────────────────────────────────────────────────────────────────────────

    def call(self, name: str, effect: Callable[[], Answer], refuse: Refuse) -> Answer:
        """Make a call when the task's turn comes; outside of tasks at once."""
        task = self._running
        if task is None:
            return effect()
        while task.calls_left == 0:
            self._hub.switch()
            task = self._running
            assert task is not None
        if self._now() > task.stack[-1].deadline:
            raise Crash
        task.calls_left -= 1
        process = task.stack[-1]
        process.calls += 1
        fault = task.fault if task.calls_left == 0 else None
        if process.breakage and process.breakage.call == process.calls:
            fault = process.breakage.fault
        self.calls += 1
        made = f"{task.name}: {name}{f', {fault}' if fault else ''}"
        self.schedule = crc32(made.encode(), self.schedule)
        if self.say:
            self.say(f"    {made}")
        if fault is None:
            return self._carried_out(effect)
        self.faults += 1
        return self._faulty(fault, name, effect, refuse)

    def _faulty(self, fault: Fault, name: str, effect: Callable[[], Answer], refuse: Refuse) -> Answer:
        if fault == "hang":
            self._hub.switch("hang")
            return self.call(name, effect, refuse)
        if fault == "crash before":
            raise Crash
        if fault in ("lost", "repeated", "crash after"):
            with suppress(Exception):  # nobody hears of it, whatever it is
                self._carried_out(effect)
        if fault == "crash after":
            raise Crash
        if fault == "repeated":
            return self._carried_out(effect)
        raise refuse(fault)

    def _carried_out(self, effect: Callable[[], Answer]) -> Answer:
        answer = effect()
        self._looked()
        return answer

    def invoke(self, work: Callable[[], Answer], seconds: float, breakage: Breakage | None = None) -> Answer:
        """The answer of a function that runs in a process of its own for so long at most; `Crashed` or
        `TimedOut` if there is none."""
        task = self._running
        if task is None:
            return work()
        depth = len(task.stack)
        answers: list[Answer] = []
        child = Process(lambda: _within(work, answers), parent=getcurrent())
        child.deadline = min(task.stack[-1].deadline, self._now() + seconds)
        child.breakage = breakage
        task.stack.append(child)
        try:
            failed = child.switch()
        except Hung:
            raise TimedOut from None
        finally:
            if len(task.stack) > depth:
                task.stack.pop()
        if failed is not None:
            raise failed
        return answers[0]

    def sleep(self, seconds: float) -> None:
        """Let others go on until then."""
        task = self._running
        if task is not None:
            task.wakes_at = self._now() + seconds
            self._hub.switch()


def _within(work: Callable[[], Answer], answers: list[Answer]) -> Exception | None:
    try:
        answers.append(work())
    except Crash:
        return Crashed()
    except Exception as error:  # noqa: BLE001 raised by whoever waits for it
        return error
    return None


def _until_crash(work: Callable[[], object]) -> None:
    try:
        work()
    except Crash:
        return
