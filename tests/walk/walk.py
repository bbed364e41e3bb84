"""A walk: the steps of a seed in a world of their own, and what is made of one that finds a violation."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.walk import oracle
from tests.walk.oracle import Violation
from tests.walk.steps import Plan, Step, take
from tests.walk.world import world


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


def walk(plan: Plan, say: Callable[[str], object] | None = None) -> Walked:
    """Take the steps, come to rest, and judge; `say` hears of everything."""
    violation, remarks = None, {}
    with world(plan.endpoint_version) as here:
        here.tasks.say = say
        here.dynamodb.lagging = here.stepfunctions.lagging = plan.lagging
        try:
            for step in plan.steps:
                if say:
                    say(f"{step.number} {step.kind}")
                take(step, here)
            if say:
                say("all faults end")
            here.come_to_rest()
            remarks = oracle.remarks(here)
            for remark in (one for several in remarks.values() for one in several) if say else ():
                say(f"known: {remark}")
        except Violation as found:
            violation = str(found)
        figures = {
            "walks": 1,
            "steps": len(plan.steps),
            "calls": here.tasks.calls,
            "faults": here.tasks.faults,
            "turns": here.tasks.turns,
            "executions": len(here.stepfunctions.executions),
        }
        return Walked(plan.seed, figures, here.tasks.schedule, remarks, violation)


def part(plan: Plan, numbers: Collection[int]) -> Plan:
    return replace(plan, steps=[step for step in plan.steps if step.number in numbers])


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """A part of a failing walk that still fails, and of which no step can be left out.

    First large parts are left out, then smaller ones (Zeller and Hildebrandt, Delta Debugging, 2002).
    """
    steps: Sequence[Step] = plan.steps
    size = max(1, len(steps) // 2)
    while True:
        start, left_out = 0, False
        while start < len(steps):
            fewer = [*steps[:start], *steps[start + size :]]
            if fails(replace(plan, steps=fewer)):
                steps, left_out = fewer, True
            else:
                start += size
        if size == 1 and not left_out:
            return replace(plan, steps=steps)
        size = max(1, size // 2)
