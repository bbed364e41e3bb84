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

from tests.walk.steps import Plan, plan
from tests.walk.walk import part, shrink, walk, walk_on

SECONDS = 60
SHORTEN_SECONDS = 120
VIOLATION = "VIOLATION"


def main() -> int:
    options = argparse.ArgumentParser(prog="make walk", description="Random walks over the whole pipeline.")
    options.add_argument("--seed", type=_number, help="the walk of this seed; drawn if it is not given")
    options.add_argument(
        "--seconds", type=_seconds, help=f"walk on from there so long; {SECONDS} without a seed"
    )
    options.add_argument("--steps", type=_numbers, help="only these steps of the walk of a seed, as 3,17,40")
    options.add_argument("--long", action="store_true", help="do not shorten what is found")
    chosen = options.parse_args()
    if chosen.steps and (chosen.seed is None or chosen.seconds):
        options.error("STEPS are of one walk: name its SEED, and no SECONDS")
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    if chosen.steps:
        whole = plan(seed)
        if unknown := chosen.steps - {step.number for step in whole.steps}:
            options.error(f"the walk of seed {seed} has {len(whole.steps)} steps; there is no {min(unknown)}")
        return _again(part(whole, chosen.steps))
    seconds = chosen.seconds or (SECONDS if chosen.seed is None else 0)
    walked = walk_on(seed, seconds, _say)
    if walked.violation is None:
        return 0
    _say(f"{VIOLATION}, seed {walked.seed}: {walked.violation}")
    if chosen.long:
        return 1
    _say(f"leaving out steps, for {SHORTEN_SECONDS} s at most …")
    return _again(_shortened(plan(walked.seed)))


def _shortened(failing: Plan) -> Plan:
    """Each shorter walk is told of; once the time is over none counts as failing any more."""
    until, least = time.monotonic() + SHORTEN_SECONDS, len(failing.steps)

    def fails(fewer: Plan) -> bool:
        nonlocal least
        if time.monotonic() > until or walk(fewer).violation is None:
            return False
        if len(fewer.steps) <= least // 2:
            least = len(fewer.steps)
            _say(f"{least} steps …")
        return True

    return shrink(failing, fails)


def _again(chosen: Plan) -> int:
    walked = walk(chosen, _say)
    numbers = ",".join(str(step.number) for step in chosen.steps)
    _say(f"\n{walked.violation or 'nothing is wrong'}")
    _say(f"{len(chosen.steps)} steps, schedule {walked.schedule:08x}")
    _say(f"make walk SEED={chosen.seed} STEPS={numbers}")
    return 1 if walked.violation else 0


def _number(given: str) -> int:
    if not given.isascii() or not given.isdigit():
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number")
    return int(given)


def _numbers(given: str) -> set[int]:
    return {_number(part) for part in given.split(",")}


def _seconds(given: str) -> int:
    if not (seconds := _number(given)):
        raise argparse.ArgumentTypeError("at least one second")
    return seconds


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
