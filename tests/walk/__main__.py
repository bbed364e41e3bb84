"""`make walk`: walk after walk for a minute from a seed that is drawn, or those of a seed that is given.

    make walk                            a minute of walks
    make walk SECONDS=600                more of them
    make walk SEED=12345                 the walk of this seed, which is the same each time
    make walk SEED=12345 STEPS=3,17,40   of that walk these steps alone, call by call

A walk that finds a violation ends the run with 1: it is shortened to the steps that are needed, told call by
call, and the command that does so again stands at its end.
"""

import argparse
import secrets
import sys
import time
from collections import Counter

from tests.walk.steps import Plan, plan
from tests.walk.walk import Walked, part, shrink, walk

SECONDS = 60.0


def main() -> int:
    options = argparse.ArgumentParser(description="Random walks over the whole pipeline.")
    options.add_argument("--seed", type=int, help="the walk of this seed; drawn if it is not given")
    options.add_argument(
        "--seconds", type=float, help=f"walk on from there for so long (default {SECONDS:.0f})"
    )
    options.add_argument("--steps", help="only these steps of the walk, such as 3,17,40")
    chosen = options.parse_args()
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    if chosen.steps:
        return _again(part(plan(seed), {int(number) for number in chosen.steps.split(",")}))
    alone = chosen.seed is not None and chosen.seconds is None
    walked = walk_on(seed, 0.0 if alone else chosen.seconds or SECONDS)
    if walked.violation is None:
        return 0
    print(f"\nseed {walked.seed}: {walked.violation}\nshortening it …", flush=True)
    short = shrink(plan(walked.seed), lambda fewer: walk(fewer).violation is not None)
    return _again(short)


def walk_on(seed: int, seconds: float) -> Walked:
    """Walk from this seed on until the time is over or a violation is found; the last walk."""
    print(f"seed {seed}", flush=True)
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
        is_over = walked.violation is not None or now - started >= seconds
        if is_over or now - told > 10:
            told = now
            figures = ", ".join(f"{count:,} {noun}" for noun, count in sums.items())
            print(f"{now - started:4.0f} s: {figures}, {len(schedules):,} schedules", flush=True)
        if is_over:
            for remark, count in remarks.items():
                print(f"known: {remark} in {count} walks")
            return walked
        seed += 1


def _again(chosen: Plan) -> int:
    walked = walk(chosen, print)
    numbers = ",".join(str(step.number) for step in chosen.steps)
    print(f"\n{walked.violation or 'nothing is wrong'}: {len(chosen.steps)} steps, {walked.schedule:08x}")
    print(f"make walk SEED={chosen.seed} STEPS={numbers}")
    return 1 if walked.violation else 0


if __name__ == "__main__":
    sys.exit(main())
