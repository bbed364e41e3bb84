"""`python -m bench.warm`: CPU time of warm handlers, beside the calls of AWS that they cannot do without.

Functions run as they are packaged, under Python 3.13. The floor of a function is what it calls of AWS, made
by bare boto3 clients with the same parameters. Both are answered at the edge of HTTP (bench/warm_calls.py),
and their rounds are interleaved.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.packaged import RUNTIME, TRACED, packaged, path, usual_path
from bench.report import PERFORMANCE, Spread, table, taken, write
from local.names import ROOT
from nyanko.adapters.dynamodb import to_item
from tests.first_calls import ANSWERS, PLAYER, PURCHASE, environment, event

ROUNDS = 15
CALLS = 100
NOWHERE = "http://127.0.0.1:9"
"""No socket is opened."""

PURCHASED = (
    "stripe_webhook",
    "start_payment",
    "verify_event",
    "record_payment",
    "grant_items",
    "notify_player",
)
"""The functions of a purchase, from Stripe's event on."""

DUPLICATE, USUAL = "start_payment, of a finished event", "the usual webhook"
ROWS = {"authorizer": PLAYER, "record_payment": PURCHASE.to_dict(), DUPLICATE: {"state": "applied"}}
"""What GetItem finds."""

FAILURES = {DUPLICATE: {"StartExecution": [400, {"__type": "ExecutionAlreadyExists"}]}}


@dataclass(frozen=True, slots=True)
class Warm:
    """CPU time in microseconds: of the handler, of the bare calls, and of one as a ratio to the other."""

    handler: Spread
    floor: Spread
    ratio: float
    calls: list[str]


def main() -> None:
    packaged()
    measured = {}
    for name in (*PURCHASED, "authorizer", DUPLICATE, USUAL):
        print(f"warm calls of {name} …", flush=True)
        measured[name] = _measure(name)
    python = subprocess.run([RUNTIME, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    write(PERFORMANCE, "warm functions", f"{taken('python -m bench.warm', python)}\n\n{_told(measured)}")


def _measure(name: str) -> Warm:
    folder = "stripe_webhook" if name == USUAL else name.partition(",")[0]
    variables = {
        **environment(folder, NOWHERE, NOWHERE),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "PYTHONPATH": path(folder),
    }
    if name == USUAL:
        variables |= {**TRACED, "PYTHONPATH": usual_path()}
    found = {"GetItem": [200, {"Item": to_item(ROWS[name])}]} if name in ROWS else {}
    given = {
        "event": event(folder),
        "answers": {operation: [200, body] for operation, body in ANSWERS.items()}
        | found
        | FAILURES.get(name, {}),
        "rounds": ROUNDS,
        "calls": CALLS,
    }
    done = subprocess.run(
        [RUNTIME, "-B", ROOT / "bench" / "warm_calls.py"],
        input=json.dumps(given),
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    handler, floor = ([pair[side] for pair in told["pairs"]] for side in (0, 1))
    ratio = median(one / other for one, other in told["pairs"])
    return Warm(Spread.of(handler), Spread.of(floor), ratio, told["calls"])


def _told(measured: Mapping[str, Warm]) -> str:
    def cpu(*names: str) -> float:
        return sum(measured[name].handler.median for name in names)

    rows = [
        [
            f"`{name}`" if " " not in name else name,
            warm.handler,
            warm.floor if warm.calls else "",
            f"{warm.ratio:.2f}" if warm.calls else "",
            ", ".join(warm.calls),
        ]
        for name, warm in measured.items()
    ]
    usual = cpu("stripe_webhook") / cpu(USUAL)
    grant = measured["grant_items"].ratio
    duplicate = cpu("stripe_webhook", DUPLICATE) / cpu(*PURCHASED)
    return (
        f"{table(['', 'handler, CPU µs', 'its bare calls, CPU µs', 'ratio', 'calls'], rows)}\n\n"
        f"The webhook takes {usual:.2f} of the usual one (target: at most 0.55), `grant_items` {grant:.2f} "
        "of its\nbare transaction (at most 1.5). A duplicate of a finished event takes "
        f"{duplicate:.0%} of a first delivery\n(at most 40%), all functions of a purchase together."
    )


if __name__ == "__main__":
    main()
