"""`python -m bench.cost`: what a purchase costs at Tokyo's list prices, and what it would cost otherwise.

    counts (a recorded run) ─┐
    template.yaml (memory)  ─┼──► bill, in dollars by service ──► budget.yaml: at most so much
    durations.yaml          ─┤
    prices.yaml             ─┘

Everything is counted that grows with purchases, from the edge to the notice. Left out is what an empty month
costs too (keys, alarms, web ACLs, polls of an empty queue), what warm environments ask once in five minutes
(KMS, Secrets Manager), and free tiers and discounts.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from bench.counts import KINDS, everything, game_calls
from bench.recording import Counts
from bench.report import PERFORMANCE, table, write
from tests import template

FOLDER = Path(__file__).parent
BUDGET = FOLDER / "budget.yaml"
PROCESSOR_MB = 1769
EXPRESS_MB = 64
EXPRESS_MS = 100
LEAST = 0.0001
"""A hundredth of a cent, the least that is shown."""

HOW_TO_CHANGE_IT = (
    "If it is worth it, change bench/budget.yaml (`python -m bench.cost --plan` writes what is planned by "
    "service) and say why in the commit."
)
WEB_ACLS = 2
"""CloudFront's, and the API's own that refuses whoever comes past CloudFront."""

Bill = dict[str, float]
"""Dollars by service."""

Shown = tuple[str, list[str], list[list[str]]]
"""A table's title, columns and rows."""


def read_prices() -> dict[str, float]:
    """Dollars for one of each."""
    listed = yaml.safe_load((FOLDER / "prices.yaml").read_text())["prices"]
    return {name: price["usd"] / price["per"] for name, price in listed.items()}


@dataclass(frozen=True, slots=True)
class Durations:
    """durations.yaml: times in milliseconds, those of processors for a whole one; shares from 0 to 1."""

    cpu_ms: Mapping[str, float]
    latency_ms: Mapping[str, float]
    cold_share: float
    init_cpu_ms: float
    state_ms: float

    @classmethod
    def read(cls) -> "Durations":
        return cls(**yaml.safe_load((FOLDER / "durations.yaml").read_text()))

    def billed_ms(self, counts: Counts, folder: str, memory: int) -> float:
        """Of all invocations of a function, starts of cold environments with them."""
        slowness = max(1.0, PROCESSOR_MB / memory)
        waiting = sum(
            self.latency_ms[what] * number for (who, what), number in counts.calls.items() if who == folder
        )
        invocations = counts.invocations[folder]
        warm = ceil(self.cpu_ms[folder] * slowness * invocations + waiting)
        return warm + invocations * self.cold_share * self.init_cpu_ms * slowness


PRICES = read_prices()
DURATIONS = Durations.read()


def bill(counts: Counts, durations: Durations = DURATIONS) -> Bill:
    """Of one event or call, by service."""
    functions = template.functions()
    gb_seconds = sum(
        durations.billed_ms(counts, folder, functions[folder].memory) * functions[folder].memory / 1024 / 1000
        for folder in counts.invocations
    )
    log_bytes = (
        counts.logged_bytes.total()
        + counts.lambda_log_bytes
        + counts.workflow_log_bytes
        + counts.access_log_bytes
    )
    return {
        "Step Functions": counts.transitions * PRICES["step_functions_transition"],
        "DynamoDB": counts.write_units.total() * PRICES["dynamodb_write_unit"]
        + counts.read_units * PRICES["dynamodb_read_unit"],
        "CloudWatch Logs": log_bytes / 1e9 * PRICES["logs_gb"],
        "API Gateway": PRICES["api_gateway_rest_request"],
        "WebSocket": counts.pushes * PRICES["api_gateway_websocket_message"],
        "CloudFront and WAF": PRICES["cloudfront_https_request"]
        + WEB_ACLS * PRICES["waf_request"]
        + counts.answer_bytes / 1e9 * PRICES["transfer_out_gb"],
        "Lambda requests": counts.invocations.total() * PRICES["lambda_request"],
        "Lambda GB-s": gb_seconds * PRICES["lambda_arm64_gb_second"],
        "SQS": counts.sqs_requests * PRICES["sqs_request"],
    }


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to process the same events, and what is lost with it."""

    name: str
    lost: str
    bill: Callable[[Counts], Bill]


def in_one_function(counts: Counts) -> Bill:
    """start_payment does what the workflow does, with the same calls but for StartExecution."""
    within = [folder for folder in counts.invocations if folder != "stripe_webhook"]
    calls: Counter[tuple[str, str]] = Counter()
    for (who, what), number in counts.calls.items():
        if not what.startswith("stepfunctions "):
            calls["stripe_webhook" if who == "stripe_webhook" else "start_payment", what] += number
    cpu_ms = {**DURATIONS.cpu_ms, "start_payment": sum(DURATIONS.cpu_ms[folder] for folder in within)}
    alone = replace(
        counts,
        calls=calls,
        invocations=Counter({"stripe_webhook": 1, "start_payment": 1}),
        transitions=0,
        workflow_log_bytes=0,
    )
    return bill(alone, replace(DURATIONS, cpu_ms=cpu_ms))


def express(counts: Counts) -> Bill:
    """The same states, billed by time and memory; without data in its log there would be no history of it."""
    functions = template.functions()
    within = [folder for folder in counts.invocations if folder not in {"stripe_webhook", "start_payment"}]
    running = sum(DURATIONS.billed_ms(counts, folder, functions[folder].memory) for folder in within)
    milliseconds = ceil((running + len(counts.states) * DURATIONS.state_ms) / EXPRESS_MS) * EXPRESS_MS
    logged = replace(counts, transitions=0, workflow_log_bytes=counts.workflow_log_bytes + counts.state_bytes)
    return {
        **bill(logged),
        "Step Functions": PRICES["step_functions_express_request"]
        + milliseconds / 1000 * EXPRESS_MB / 1024 * PRICES["step_functions_express_gb_second"],
    }


def through_a_pipe(counts: Counts) -> Bill:
    """API Gateway sends to the queue, and a Pipe starts the workflow."""
    left_out = ("stripe_webhook", "start_payment")
    kept = replace(
        counts,
        calls=Counter({call: number for call, number in counts.calls.items() if call[0] not in left_out}),
        invocations=Counter(
            {folder: number for folder, number in counts.invocations.items() if folder not in left_out}
        ),
        logged_bytes=Counter(
            {folder: size for folder, size in counts.logged_bytes.items() if folder not in left_out}
        ),
    )
    return {**bill(kept), "EventBridge Pipes": PRICES["eventbridge_pipe_request"]}


def with_http_api(counts: Counts) -> Bill:
    """API Gateway's younger and cheaper kind."""
    return {**bill(counts), "API Gateway": PRICES["api_gateway_http_request"]}


ALTERNATIVES = [
    Alternative(
        "all in one Lambda",
        "behind the queue: retries, timeouts and catches of each step, and the history that says where an "
        "event stopped. A step that fails runs all of them again, and parking dies with the function.",
        in_one_function,
    ),
    Alternative(
        "an Express workflow",
        "an execution's name as the first guard against duplicates, its status to tell a duplicate from a "
        "replay, and 90 days of history. The only record is the log, which then holds what Stripe says of "
        "buyers.",
        express,
    ),
    Alternative(
        "a Pipe",
        "from the queue to the workflow, and API Gateway straight to the queue: the signature check at the "
        "door. Whoever finds the address starts executions that we pay for, as does each duplicate, since a "
        "Pipe names executions by itself; and Resend in Stripe's Dashboard is no replay.",
        through_a_pipe,
    ),
    Alternative(
        "an HTTP API",
        "in front of the webhook: the web ACL that keeps out whoever comes past CloudFront, and one API with "
        "one description for webhook and game.",
        with_http_api,
    ),
]


@dataclass(frozen=True, slots=True)
class Budget:
    """budget.yaml: what 1,000 purchases may cost in dollars, and how much one may ask for."""

    limit: float
    tolerance: float
    most: Mapping[str, int]
    services: Bill

    @classmethod
    def read(cls) -> "Budget":
        return cls(**yaml.safe_load(BUDGET.read_text()))

    def excess(self, counts: Counts) -> str | None:
        """What of a purchase goes beyond the budget, and how to change that; None if nothing does."""
        asked = {"transitions": counts.transitions, "calls": counts.calls.total()}
        reasons = [
            f"A purchase has {asked[what]} {what} and not {most}."
            for what, most in self.most.items()
            if asked[what] > most
        ]
        purchase = {service: 1000 * dollars for service, dollars in bill(counts).items()}
        costs, planned = sum(purchase.values()), sum(self.services.values())
        if costs > min(planned * (1 + self.tolerance), self.limit):
            changes = {name: cost - self.services.get(name, 0) for name, cost in purchase.items()}
            dearer = ", ".join(
                f"{name} {change:+.4f}" for name, change in _largest(changes) if change > LEAST
            )
            reasons.append(
                f"1,000 purchases cost ${costs:.4f}; planned are ${planned:.4f} and {self.tolerance:.0%}, "
                f"${self.limit:.2f} at the most. Dearer than planned: {dearer or 'nothing'}."
            )
        if not reasons:
            return None
        return f"{' '.join(reasons)} {HOW_TO_CHANGE_IT}"


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.cost", description="What a purchase costs in Tokyo."
    )
    options.add_argument("--json", action="store_true", help="print dollars for scripts, and write nothing")
    options.add_argument("--plan", action="store_true", help="make what a purchase costs now the budget")
    chosen = options.parse_args()
    with everything() as workflow:
        counted = {kind: run(workflow) for kind, run in KINDS.items()}
        game = {called: bill(counts) for called, counts in game_calls(workflow).items()}
    bills = {kind: bill(counts) for kind, counts in counted.items()}
    purchase = bills["purchase"]
    ways = {"as it is": purchase} | {other.name: other.bill(counted["purchase"]) for other in ALTERNATIVES}
    if chosen.plan:
        plan(purchase)
    if chosen.json:
        print(json.dumps({"events": bills, "ways": ways, "game": game}, indent=2))
    else:
        tables = [
            _by_service("1,000 purchases", 1_000, ways),
            _by_service("1,000,000 webhook events", 1_000_000, bills),
            (
                "1,000 calls of the game",
                ["", "US dollars"],
                [[to, _usd(of, 1_000)] for to, of in game.items()],
            ),
        ]
        for one in tables:
            _show(*one)
        write(PERFORMANCE, "cost", _document(tables))
    if excess := Budget.read().excess(counted["purchase"]):
        sys.exit(excess)


def plan(purchase: Bill) -> None:
    """Make what 1,000 purchases cost now the budget; what stands above the figures stays."""
    before, services, _ = BUDGET.read_text().partition("services:\n")
    figures = [f"  {service}: {1000 * dollars:.4f}\n" for service, dollars in _largest(purchase)]
    BUDGET.write_text("".join([before, services, *figures]))


def _by_service(title: str, number: int, bills: Mapping[str, Bill]) -> Shown:
    services = dict.fromkeys(service for of in bills.values() for service in of)
    rows = [
        [service, *(_usd({service: of.get(service, 0)}, number) for of in bills.values())]
        for service in services
    ]
    return (
        title,
        ["US dollars", *bills],
        [*rows, ["together", *(_usd(of, number) for of in bills.values())]],
    )


def _show(title: str, columns: list[str], rows: list[list[str]]) -> None:
    shown = Table(*columns[:1], title=title, title_justify="left")
    for column in columns[1:]:
        shown.add_column(column, justify="right")
    for row in rows:
        shown.add_row(*row, style="bold" if row[0] == "together" else None)
    Console().print(shown)


def _document(tables: Sequence[Shown]) -> str:
    date = yaml.safe_load((FOLDER / "prices.yaml").read_text())["date"]
    shown = [f"{title}:\n\n{table(columns, rows)}" for title, columns, rows in tables]
    lost = "\n".join(f"- With {other.name} {other.lost}" for other in ALTERNATIVES)
    return "\n\n".join(
        [
            f"`make cost`, at Tokyo's list prices of {date} (bench/prices.yaml).",
            shown[0],
            f"What is lost with the other ways:\n\n{lost}",
            *shown[1:],
        ]
    )


def _usd(of: Bill, number: int) -> str:
    return f"{number * sum(of.values()):,.{4 if number == 1_000 else 2}f}"


def _largest(dollars: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(dollars.items(), key=lambda entry: -entry[1])


if __name__ == "__main__":
    main()
