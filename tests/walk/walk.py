"""A walk: the steps of a seed in a world of their own, and what is made of one that finds a violation."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.walk import oracle
from tests.walk.oracle import Violation
from tests.walk.rest import come_to_rest
from tests.walk.steps import Plan, Step, plan, take
from tests.walk.world import world

TELL_SECONDS = 10
MANY = 200
"""After so many walks everything has happened, or something never works."""


@dataclass(frozen=True)
class Walked:
    """What a walk did: `figures` by what they count; `schedule` stands for the order of all its calls.

    `remarks` are what is known to go wrong, by kind. `violation` is what it ended in, None if all was well.
    """

    seed: int
    figures: Mapping[str, int]
    schedule: int
    remarks: Mapping[str, list[str]]
    violation: str | None


def walk(chosen: Plan, say: Callable[[str], object] | None = None) -> Walked:
    """Take the steps, come to rest, and judge; `say` hears of everything."""
    violation, remarks = None, {}
    tell = say or _say_nothing
    with world(chosen.endpoint_version) as here:
        here.tasks.say = say
        here.dynamodb.lagging = here.stepfunctions.lagging = chosen.lagging
        try:
            for step in chosen.steps:
                tell(f"{step.number} {step.kind}")
                take(step, here)
            tell("all faults end")
            come_to_rest(here)
            remarks = oracle.remarks(here)
            for remark in (one for several in remarks.values() for one in several):
                tell(f"known: {remark}")
        except Violation as found:
            violation = str(found)
        except Exception as error:  # noqa: BLE001 whatever a task raises that no caller of it expects
            violation = oracle.unexpected(error)
        figures = {
            "walks": 1,
            "steps": len(chosen.steps),
            "calls": here.tasks.calls,
            "faults": here.tasks.faults,
            "turns": here.tasks.turns,
            "executions": len(here.stepfunctions.executions),
            **here.done(),
        }
        return Walked(chosen.seed, figures, here.tasks.schedule, remarks, violation)


def _say_nothing(_text: str) -> None:
    """Only who looks at one walk wants to hear of it."""


def walk_on(seed: int, seconds: float, say: Callable[[str], object]) -> Walked:
    """Walk from this seed on until the time is over or a violation is found; the last walk."""
    say(f"walks from seed {seed} on")
    started = told = time.monotonic()
    sums: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    schedules: set[int] = set()
    while True:
        walked = walk(plan(seed))
        sums.update(walked.figures)
        remarks.update(walked.remarks.keys())
        schedules.add(walked.schedule)
        now = time.monotonic()
        if len(schedules) >= MANY and (never := [noun for noun, count in sums.items() if not count]):
            walked = replace(walked, violation=f"in {MANY} walks there were never any {', '.join(never)}")
        is_over = walked.violation is not None or now - started >= seconds
        if is_over or now - told > TELL_SECONDS:
            told = now
            figures = ", ".join(f"{count:,} {noun}" for noun, count in sums.items())
            say(f"{now - started:4.0f} s: {figures}, {len(schedules):,} schedules")
        if is_over:
            for remark, count in remarks.items():
                say(f"known, in {count} walks: {remark}")
            return walked
        seed += 1


def part(whole: Plan, numbers: Collection[int]) -> Plan:
    return replace(whole, steps=[step for step in whole.steps if step.number in numbers])


def shrink(failing: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """A part of a failing walk that still fails, and of which no step can be left out.

    First large parts are left out, then smaller ones (Zeller and Hildebrandt, Delta Debugging, 2002).
    """
    steps: Sequence[Step] = failing.steps
    size = max(1, len(steps) // 2)
    while True:
        start, left_out = 0, False
        while start < len(steps):
            fewer = [*steps[:start], *steps[start + size :]]
            if fails(replace(failing, steps=fewer)):
                steps, left_out = fewer, True
            else:
                start += size
        if size == 1 and not left_out:
            return replace(failing, steps=steps)
        size = max(1, size // 2)
