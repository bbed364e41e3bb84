"""`python -m bench.counts`: what an event of Stripe's asks of AWS.

    webhook ──► queue ──► start_payment ──► the shipped workflow ──► functions ──► tables

The workflow runs in-process as in tests/workflow, as it is deployed, and all functions are warm: secrets were
read before, which each environment does once in five minutes. Exits 1 if a purchase asks more of AWS the more
there are before it.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from http import HTTPStatus
from io import StringIO
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from bench import log_lines
from bench.recording import Counts, count_execution, recording
from bench.report import PERFORMANCE, table, write
from local.event import EVENTS, about, request
from local.names import ROOT
from nyanko.adapters.dynamodb import to_item
from nyanko.composition.function import adapters
from nyanko.purchases import Purchase
from tests import template
from tests.data import STARTER_PACK
from tests.stripe_events import SECRET
from tests.workflow.engine import Workflow, deployed

PLAYER = "02" + "5f" * 32
ABSENT = "03" + "a7" * 32
SESSION = "cs_live_a1" + "Mike" * 14
PAGE = f"https://checkout.stripe.com/c/pay/{SESSION}#{'fid' * 100}"
"""As long as the addresses of Stripe's hosted pages are, which the purchase's row keeps."""

PLEASE_READ = "お支払いの前に、商品、数量、合計金額をご確認ください。" * 8
"""A text beside the button to pay, so that no figure rests on an event that is small by chance."""


def purchase(workflow: Workflow, number: int = 1) -> Counts:
    """Packs of two kinds of items are paid by card, and the player waits for them in the game."""
    sold = sell(workflow, number)
    adapters().connections.put(sold.player_id, "L0SM9cOFvHcCIhw=", workflow.now)
    return deliver(workflow, paid(workflow, sold))


def purchase_of_the_absent(workflow: Workflow) -> Counts:
    """The same, and the player has left the game."""
    return deliver(workflow, paid(workflow, sell(workflow, 2, ABSENT)))


def duplicate(workflow: Workflow) -> Counts:
    """Stripe delivers an event again that was granted."""
    event = paid(workflow, sell(workflow, 3))
    deliver(workflow, event)
    return deliver(workflow, event)


def uninteresting(workflow: Workflow) -> Counts:
    """An event of a type that says nothing of a purchase."""
    return deliver(workflow, json.loads(EVENTS["unknown_type"].read_text()))


def of_another_application(workflow: Workflow) -> Counts:
    """A session of the same Stripe account that no purchase of ours opened."""
    event = paid(workflow, sell(workflow, 4))
    event["data"]["object"]["metadata"] = {"order": "of_another_shop"}
    return deliver(workflow, event)


def game_calls(workflow: Workflow) -> dict[str, Counts]:
    """What the game itself asks for around a purchase, by method and path."""
    adapters().products.put(STARTER_PACK)
    order = json.dumps({"product_id": STARTER_PACK.product_id, "quantity": 3})
    spend = json.dumps({"count": 1, "spend_id": "4f1c2d3e-5a6b-7c8d-9e0f-a1b2c3d4e5f6"})
    _ask(workflow, "POST /checkout", order, "the first one reads Stripe's key")
    return {
        "POST /checkout": _ask(workflow, "POST /checkout", order),
        "GET /purchases": _ask(workflow, "GET /purchases"),
        "GET /inventory": _ask(workflow, "GET /inventory"),
        "POST /inventory/{item_id}/spend": _ask(workflow, "POST /inventory/cat_food/spend", spend),
        "GET /notices": _ask(workflow, "GET /notices"),
    }


def _ask(workflow: Workflow, called: str, body: str | None = None, key: str = "another one") -> Counts:
    """By a player whom the authorizer's cache knows."""
    method, path = called.split()
    sample = json.loads((ROOT / "events" / "api.json").read_text())
    sample["requestContext"]["authorizer"]["player_id"] = PLAYER
    sample["headers"]["Idempotency-Key"] = key
    counts = Counts(access_log_bytes=len(log_lines.of_access().encode()))
    workflow.stripe_api.asked.clear()
    with recording(counts):
        answer = workflow.invoke("api", {**sample, "httpMethod": method, "path": path, "body": body})
    if answer["statusCode"] >= HTTPStatus.BAD_REQUEST:
        raise AssertionError(f"{called} was answered {answer['statusCode']} {answer['body']}")
    counts.answer_bytes = len(json.dumps(answer))
    counts.invocations["api"] += 1
    counts.calls.update(("api", f"stripe {asked}") for asked in workflow.stripe_api.asked)
    return counts


KINDS: Mapping[str, Callable[[Workflow], Counts]] = {
    "purchase": purchase,
    "purchase, player away": purchase_of_the_absent,
    "duplicate": duplicate,
    "uninteresting type": uninteresting,
    "another application's": of_another_application,
}


def sell(workflow: Workflow, number: int, player_id: str = PLAYER) -> Purchase:
    """A purchase that waits to be paid, with ids as long as they are in an account."""
    sold = workflow.sell(f"pur_{number:032x}", player_id, quantity=3)
    return adapters().purchases.attach_session(sold, f"{SESSION}{number:04}", PAGE)


def paid(workflow: Workflow, sold: Purchase) -> dict[str, Any]:
    """Stripe's event of that payment: about a buyer, and under an id as long as Stripe's own."""
    event = about(sold, EVENTS["paid_by_card"].read_text(), workflow.now)
    session = event["data"]["object"]
    session["customer_details"] |= {"email": "mike@nyanko.example", "name": "三毛 猫子"}
    session["custom_text"]["submit"] = {"message": PLEASE_READ}
    return {**event, "id": f"evt_1{sold.purchase_id[-23:]}"}


def deliver(workflow: Workflow, event: Mapping[str, Any]) -> Counts:
    """Deliver an event of Stripe's to the webhook, and let it run until nothing is left to do."""
    counts = Counts()
    delivery = request(dict(event), SECRET, workflow.now)
    counts.event_bytes = len(delivery["body"].encode())
    counts.access_log_bytes = len(log_lines.of_access().encode())
    earlier = {execution.name for execution in workflow.executions(event["id"])}
    workflow.invoked.clear()
    with recording(counts):
        answer = workflow.invoke("stripe_webhook", delivery)
    counts.answer_bytes = len(json.dumps(answer))
    counts.invocations["stripe_webhook"] += 1
    for message in workflow.queued():
        counts.sqs_requests += 3  # send, receive, delete: nothing else is in the batch
        counts.invocations["start_payment"] += 1
        with recording(counts):
            failed = workflow.receive(message)
        if failed:
            raise AssertionError(f"{event['id']} was given back to the queue")
    counts.invocations.update(folder for folder, _ in workflow.invoked)
    for execution in workflow.executions(event["id"]):
        if execution.name not in earlier:
            count_execution(counts, execution.name, workflow.history(execution.name))
    return counts


@contextmanager
def everything() -> Iterator[Workflow]:
    """The workflow on an empty account, warm."""
    with pytest.MonkeyPatch.context() as patch, deployed(patch) as workflow, redirect_stdout(StringIO()):
        warm(workflow)
        yield workflow


def warm(workflow: Workflow) -> None:
    """Let every function run once, so that all of them have read what they read once."""
    purchase(workflow, 0)


def seed(purchases: int, player_id: str, first: int) -> None:
    """Put granted purchases with all their rows into the tables, numbered from `first`."""
    names = [f"{first + number:032x}" for number in range(purchases)]
    tables = dynamodb_backends[template.ACCOUNT][template.REGION].tables
    for name in names:
        rows: dict[str, dict[str, Any]] = {
            "purchases": {
                "purchase_id": f"pur_{name}",
                "player_id": player_id,
                "created_at": 1,
                "version": 2,
            },
            "events": {
                "event_id": f"evt_{name}",
                "purchase_id": f"pur_{name}",
                "created": 1,
                "state": "applied",
            },
            "ledger": {"player_id": player_id, "line_id": f"pur_{name}#2#cat_food", "delta": 10},
            "notices": {"player_id": player_id, "notice_id": f"1.{name}.2", "notice": {}},
        }
        for noun, row in rows.items():
            tables[adapters().resource(noun)].put_item(to_item(row))


def main() -> int:
    with everything() as workflow:
        counted = {kind: run(workflow) for kind, run in KINDS.items()}
        growth = {there: of_the_next(workflow, there) for there in (10, 1_000, 100_000)}
    text = "\n\n".join(
        [
            f"`python -m bench.counts`, {datetime.now(UTC):%Y-%m-%d}. Nothing here depends on the machine.",
            _by_kind(counted),
            "One purchase, with its player in the game:",
            _by_caller(counted["purchase"]),
            "The next purchase of a player, when the tables hold that many, half of them the player's own:",
            _by_size(growth),
        ]
    )
    print(text)
    write(PERFORMANCE, "counts", text)
    grows = len({counts.calls.total() for counts in growth.values()}) > 1
    if grows:
        print("a purchase asks more of AWS the more there are before it", file=sys.stderr)
    return int(grows)


def of_the_next(workflow: Workflow, there: int) -> Counts:
    """Of a purchase when there are that many already, half of them of the same player."""
    seed(there // 2, PLAYER, there * 10)
    seed(there - there // 2, ABSENT, there * 20)
    return purchase(workflow, there)


def _by_kind(counted: Mapping[str, Counts]) -> str:
    rows: Mapping[str, Callable[[Counts], object]] = {
        "Stripe's event, bytes": lambda counts: counts.event_bytes,
        "AWS calls": lambda counts: counts.calls.total(),
        "AWS calls after the queue": lambda counts: counts.after_the_queue,
        "Lambda invocations": lambda counts: counts.invocations.total(),
        "SQS requests": lambda counts: counts.sqs_requests,
        "billed state transitions": lambda counts: counts.transitions,
        "DynamoDB write units": lambda counts: counts.write_units.total(),
        "DynamoDB read units": lambda counts: f"{counts.read_units:g}",
        "bytes of request bodies": lambda counts: counts.request_bytes,
        "bytes of states' payloads": lambda counts: counts.state_bytes,
        "the largest payload": lambda counts: counts.largest_state_bytes,
        "bytes logged by functions": lambda counts: counts.logged_bytes.total(),
        "by Lambda about them": lambda counts: counts.lambda_log_bytes,
        "by Step Functions": lambda counts: counts.workflow_log_bytes,
    }
    return table(
        ["", *counted], [[name, *(of(counts) for counts in counted.values())] for name, of in rows.items()]
    )


def _by_caller(counts: Counts) -> str:
    called: dict[str, list[str]] = {folder: [] for folder in counts.invocations}
    for (who, what), number in counts.calls.items():
        called.setdefault(who, []).append(f"{what} × {number}" if number > 1 else what)
    units = [f"{place} {units}" for place, units in counts.write_units.items()]
    return table(["who", "calls"], [[who, ", ".join(what) or "none"] for who, what in called.items()]) + (
        f"\n\nWrite units by table and index: {', '.join(units)}. States: {', '.join(counts.states)}."
    )


def _by_size(growth: Mapping[int, Counts]) -> str:
    return table(
        ["purchases there", "AWS calls", "write units", "read units", "transitions", "scans"],
        [
            [
                f"{there:,}",
                counts.calls.total(),
                counts.write_units.total(),
                f"{counts.read_units:g}",
                counts.transitions,
                counts.scans,
            ]
            for there, counts in growth.items()
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
