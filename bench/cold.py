"""`python -m bench.cold`: what a cold start of each function takes, and what its memory size should be.

    fresh process ── imports the function's module ── first call, with AWS behind TLS ── warm calls
    └──────────── the CPU time of this is a cold start ─────────────┘

Functions and layers are those that `make build` makes, for this machine's processor. AWS is a stub on
loopback that answers at once. A boto3 client that sends one message to SQS is what no webhook can do without.
Without bytecode, modules are compiled and the result is thrown away (`-B`), as in Lambda, whose layers nobody
may write to.
"""

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

from bench.packaged import FOLDER, RUNTIME, TRACED, packaged, path, usual_path
from bench.report import PERFORMANCE, Spread, table, taken, write
from tests.first_calls import edge, environment, event
from tests.template import functions
from tests.tls import certified
from tests.web3auth_tokens import OTHER_KEY, token

ROUNDS = 9
WARM_CALLS = 30

CALL = """
import sys, time
import json
from importlib import import_module

class Context:
    aws_request_id = function_name = invoked_function_arn = "cold"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self):
        return 900_000

def call():
    try:
        handler(event, Context())
    except Exception as error:
        if str(error) != "Unauthorized":
            raise

event, calls = json.load(sys.stdin), int(sys.argv[1])
handler = import_module("app").lambda_handler
call()
cpu, at = time.process_time(), time.time()
for _ in range(calls):
    call()
warm = (time.process_time() - cpu) / calls if calls else 0
"""
NOTHING = """
import time
cpu, at, warm = time.process_time(), time.time(), 0
"""
SEND = """
import os, sys, time
import boto3
message = sys.stdin.read()
boto3.client("sqs").send_message(QueueUrl=os.environ["PAYMENT_EVENTS_URL"], MessageBody=message)
cpu, at, warm = time.process_time(), time.time(), 0
"""
TELL = """
import json, sys
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(json.dumps([cpu, at, warm, int(peak)]), file=sys.stderr)
"""
"""The peak is of this program alone; what getrusage tells of a child may be its parent's."""

PYTHON, BOTO3, USUAL = "Python itself", "boto3, one message to SQS", "the usual webhook, no bytecode"
REFUSED = "`authorizer`, refusing a token"
PLAIN = ", no bytecode"

WHOLE_CORE_MB = 1769
"""Lambda gives CPU in proportion to memory, and this is one core
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""

SIZES_MB = (256, 512, 1024, WHOLE_CORE_MB)
WAITED_MS = 20
"""Assumed: what a warm call waits for AWS."""


@dataclass(frozen=True, slots=True)
class Run:
    """CPU and wall time of a cold start in ms, CPU time of a warm call in ms, peak memory in MB."""

    cpu: float
    wall: float
    warm: float
    peak: float


@dataclass(frozen=True, slots=True)
class Program:
    code: str
    environment: Mapping[str, str]
    given: str = ""
    options: Sequence[str] = ()

    def run(self, warm_calls: int) -> Run:
        command = [str(RUNTIME), *self.options, "-c", self.code + TELL, str(warm_calls)]
        started = time.time()
        done = subprocess.run(
            command, input=self.given, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        cpu, at, warm, peak = json.loads(done.stderr.splitlines()[-1])
        return Run(cpu * 1000, (at - started) * 1000, warm * 1000, peak / 1024)


def main() -> None:
    packaged()
    tls, trusted = certified(FOLDER)
    with edge(tls) as aws, edge() as stripe:
        measured = _measure(lambda: _programs(aws, stripe, trusted))
    python = subprocess.run([RUNTIME, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    said = taken("python -m bench.cold", python)
    write(PERFORMANCE, "cold start", f"{said}\n\n{_cold(measured)}")
    write(PERFORMANCE, "memory", f"{said}\n\n{_memory(measured)}")


def _programs(aws: str, stripe: str, trusted: Path) -> dict[str, Program]:
    shared = {"AWS_CA_BUNDLE": str(trusted), "AWS_LAMBDA_FUNCTION_NAME": "cold"}
    programs = {PYTHON: Program(NOTHING, shared)}
    for folder in sorted(functions()):
        variables = {**shared, **environment(folder, aws, stripe)}
        given = json.dumps(event(folder))
        programs[folder] = Program(CALL, {**variables, "PYTHONPATH": path(folder)}, given)
        plain = {**variables, "PYTHONPATH": path(folder, bytecode=False)}
        programs[folder + PLAIN] = Program(CALL, plain, given, ["-B"])
        if folder == "stripe_webhook":
            programs[BOTO3] = Program(SEND, variables, given)
            usual = {**variables, **TRACED, "PYTHONPATH": usual_path()}
            programs[USUAL] = Program(CALL, usual, given, ["-B"])
        if folder == "authorizer":
            strangers = json.dumps({**event(folder), "authorizationToken": f"Bearer {token(key=OTHER_KEY)}"})
            programs[REFUSED] = Program(CALL, {**variables, "PYTHONPATH": path(folder)}, strangers)
    return programs


def _measure(programs: Callable[[], Mapping[str, Program]]) -> dict[str, list[Run]]:
    """Each round has programs of its own: a signature is too old after five minutes."""
    measured: dict[str, list[Run]] = defaultdict(list)
    for round_ in range(ROUNDS):
        print(f"cold starts, round {round_ + 1} of {ROUNDS} …", flush=True)
        for name, program in programs().items():
            measured[name].append(program.run(WARM_CALLS if name in functions() else 0))
    return measured


def _cold(measured: Mapping[str, Sequence[Run]]) -> str:
    def ratio(name: str, to: str) -> float:
        """The median over rounds, in which the runs of all programs follow each other."""
        return median(one.cpu / other.cpu for one, other in zip(measured[name], measured[to], strict=True))

    rows = []
    for name in (PYTHON, BOTO3, *functions(), REFUSED, USUAL):
        runs = measured[name]
        plain = measured.get(name + PLAIN)
        rows.append(
            [
                f"`{name}`" if name in functions() else name,
                Spread.of([run.cpu for run in runs]),
                f"{ratio(name, PYTHON):.1f}",
                f"{ratio(name, BOTO3):.2f}",
                f"{median(run.cpu for run in plain):.0f}" if plain else "",
                f"{median(run.wall for run in runs):.0f}",
                f"{max(run.peak for run in runs):.0f}",
            ]
        )
    columns = ["", "CPU ms", "x Python", "x boto3", "without bytecode, CPU ms", "wall ms", "peak MB"]
    return (
        f"{table(columns, rows)}\n\n"
        f"The webhook's is {ratio('stripe_webhook', BOTO3):.2f} of the boto3 client's (target: at most 1.1) "
        f"and\n{ratio('stripe_webhook', USUAL):.2f} of the usual webhook's (target: at most 0.3)."
    )


def _memory(measured: Mapping[str, Sequence[Run]]) -> str:
    prices = yaml.safe_load(Path(__file__).with_name("prices.yaml").read_text())["prices"]
    per_gb_second: float = prices["lambda_arm64_gb_second"]["usd"]

    def slower(size: int) -> float:
        return max(1.0, WHOLE_CORE_MB / size)

    rows = []
    for folder, function in functions().items():
        cold = median(run.cpu for run in measured[folder])
        warm = median(run.warm for run in measured[folder])
        cells = []
        for size in SIZES_MB:
            seconds = (warm * slower(size) + WAITED_MS) / 1000
            dollars = seconds * size / 1024 * per_gb_second * 1_000_000
            mark = "**" if size == function.memory else ""
            cells.append(f"{mark}{cold * slower(size) / 1000:.1f} s, ${dollars:.2f}{mark}")
        peak = max(run.peak for run in measured[folder])
        rows.append([f"`{folder}`", f"{warm:.1f}", f"{peak:.0f}", *cells])
    return table(["", "warm call, CPU ms", "peak MB", *(f"{size} MB" for size in SIZES_MB)], rows)


if __name__ == "__main__":
    main()
