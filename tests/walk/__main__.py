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

from tests.walk.steps import Plan, plan
from tests.walk.walk import part, shrink, walk, walk_on

SECONDS = 60.0
VIOLATION = "VIOLATION"


def main() -> int:
    options = argparse.ArgumentParser(prog="make walk", description="Random walks over the whole pipeline.")
    options.add_argument("--seed", type=int, help="the walk of this seed; drawn if it is not given")
    options.add_argument(
        "--seconds", type=float, help=f"walk on from there so long; {SECONDS:.0f} without a seed"
    )
    options.add_argument("--steps", help="only these steps of the walk, such as 3,17,40")
    options.add_argument("--long", action="store_true", help="do not shorten what is found")
    chosen = options.parse_args()
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    if chosen.steps:
        return _again(part(plan(seed), {int(number) for number in chosen.steps.split(",")}))
    seconds = chosen.seconds or (SECONDS if chosen.seed is None else 0.0)
    walked = walk_on(seed, seconds, _say)
    if walked.violation is None:
        return 0
    _say(f"{VIOLATION}, seed {walked.seed}: {walked.violation}")
    if chosen.long:
        return 1
    _say("shortening it …")
    return _again(shrink(plan(walked.seed), lambda fewer: walk(fewer).violation is not None))


def _again(chosen: Plan) -> int:
    walked = walk(chosen, _say)
    numbers = ",".join(str(step.number) for step in chosen.steps)
    _say(f"\n{walked.violation or 'nothing is wrong'}")
    _say(f"{len(chosen.steps)} steps, schedule {walked.schedule:08x}")
    _say(f"make walk SEED={chosen.seed} STEPS={numbers}")
    return 1 if walked.violation else 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
