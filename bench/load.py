"""`python -m bench.load`: the local stack under load, from one purchase to ten thousand (`--most 1000`: one).

Purchases are written into the table, as checkout is not what is measured; their signed events go to the
webhook over HTTP, from eight senders at once, and a share of them twice. Every run has a stack of its own
that some purchases have warmed. Granted means that the execution has ended, and the player been told as well.
Exits 1 unless each purchase was granted by one execution and nothing is parked.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.report import PERFORMANCE, once, table, write
from local.names import PREFIX
from local.stack import Ports, Stack
from nyanko.adapters.dynamodb_products import Products
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.dynamodb_table import Table
from nyanko.checkout import new_purchase
from tests.e2e.shop import Shop, session_event

SIZES = (1, 10, 100, 1_000, 10_000)
DUPLICATES = (0.0, 0.3)
PLAYERS = 20
SENDERS = 8
WARMING = 5
PATIENCE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Load:
    """What came of `purchases`; the waits are in seconds, `sending` and `all` as well."""

    purchases: int
    duplicates: float
    acks: Sequence[float]
    granted: Sequence[float]
    sending: float
    all: float

    @property
    def row(self) -> list[str]:
        return [
            f"{self.purchases:,}",
            f"{self.duplicates:.0%}",
            f"{len(self.acks) / self.sending:.1f}",
            f"{share(self.acks, 0.5) * 1000:,.0f}",
            f"{share(self.acks, 0.99) * 1000:,.0f}",
            f"{self.purchases / self.all:.1f}",
            f"{share(self.granted, 0.5):.2f}",
            f"{share(self.granted, 0.99):.2f}",
        ]


COLUMNS = [
    "purchases",
    "delivered twice",
    "accepted/s",
    "ack p50, ms",
    "ack p99, ms",
    "granted/s",
    "granted p50, s",
    "granted p99, s",
]


def main() -> int:
    options = argparse.ArgumentParser(description="The local stack under load.")
    options.add_argument("--most", type=int, default=max(SIZES), help="the largest number of purchases")
    most: int = options.parse_args().most
    began, loads, command = time.monotonic(), [], f"python -m bench.load --most {most}"
    for purchases in (size for size in SIZES if size <= most):
        for duplicates in DUPLICATES:
            with (
                tempfile.TemporaryDirectory() as folder,
                Stack(Ports.free(), Path(folder)) as stack,
            ):
                loads.append(run(stack, purchases, duplicates))
            print(", ".join(map(": ".join, zip(COLUMNS, loads[-1].row, strict=True))), flush=True)
    minutes = (time.monotonic() - began) / 60
    text = f"{once(command)} It took {minutes:.0f} minutes."
    write(PERFORMANCE, "load", f"{text}\n\n{table(COLUMNS, [load.row for load in loads])}")
    return 0 if all(len(load.granted) == load.purchases for load in loads) else 1


def run(stack: Stack, purchases: int, duplicates: float) -> Load:
    shop, dice = Shop(stack), Random(purchases)  # noqa: S311 dice, not keys
    try:
        for event in sell(shop, WARMING):
            deliver(shop, event)
        await_quiet(shop, WARMING)
        events = sell(shop, purchases)
        deliveries = events + [event for event in events if dice.random() < duplicates]
        dice.shuffle(deliveries)
        first = time.time()
        with ThreadPoolExecutor(SENDERS) as senders:
            acks = list(senders.map(lambda event: deliver(shop, event), deliveries))
        sent = max(at for at, _ in acks)
        await_quiet(shop, WARMING + purchases)
        accepted = {event["id"]: at for event, (at, _) in reversed(list(zip(deliveries, acks, strict=True)))}
        ended = {
            one["name"]: one["stopDate"].timestamp()
            for one in executions(shop)
            if one["status"] == "SUCCEEDED" and one["name"] in accepted
        }
        parked = shop.dead_letters()
        granted = [ended[name] - accepted[name] for name in ended] if not parked else []
        return Load(
            purchases,
            duplicates,
            [waited for _, waited in acks],
            granted,
            sent - first,
            max(ended.values(), default=first) - first,
        )
    finally:
        shop.close()


def sell(shop: Shop, number: int) -> list[dict[str, Any]]:
    """Purchases that were checked out, as the events of their payment."""
    dynamodb = shop.client("dynamodb")

    def table(noun: str) -> Table:
        return Table(lambda: dynamodb, f"{PREFIX}_{noun}")

    product = Products(table("products")).get("neko_starter_pack")
    if product is None:
        raise LookupError("the shop has no starter packs")
    table_of_purchases, now = Purchases(table), int(time.time())

    def sold(position: int) -> dict[str, Any]:
        purchase_id = f"pur_load_{number}_{position}"
        purchase = new_purchase(purchase_id, f"02load{position % PLAYERS}", product, 1, now)
        table_of_purchases.create(purchase, [])
        opened = {
            "purchase_id": purchase_id,
            "session_id": f"cs_{purchase_id}",
            "amount": purchase.amount,
            "currency": product.currency,
        }
        return session_event(f"evt_{purchase_id}", opened)

    with ThreadPoolExecutor(SENDERS) as buyers:
        return list(buyers.map(sold, range(number)))


def deliver(shop: Shop, event: dict[str, Any]) -> tuple[float, float]:
    """When the event was accepted (epoch seconds) and how long that took."""
    began = time.perf_counter()
    answered = shop.deliver(json.dumps(event).encode())
    waited = time.perf_counter() - began
    if answered.status != 200:
        raise RuntimeError(f"{event['id']} was answered with {answered.status}: {answered.body}")
    return time.time(), waited


def await_quiet(shop: Shop, number: int) -> None:
    """Until so many executions have ended and the queue is empty."""
    sqs, queue = shop.client("sqs"), shop.stack.outputs["PaymentEventsUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        if not any(int(left[name]) for name in names):
            ended = sum(one["status"] != "RUNNING" for one in executions(shop))
            print(f"  {ended} of {number} executions have ended", flush=True)
            if ended >= number:
                return
            # Listing executions takes time of what is measured, and the more the more there are.
            time.sleep(min(30, (number - ended) / 100))
        time.sleep(1)
    raise TimeoutError(f"{number} executions have not ended within {PATIENCE_SECONDS} s")


def executions(shop: Shop) -> Iterator[dict[str, Any]]:
    pages = shop.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=shop.stack.outputs["PaymentStateMachineArn"]):
        yield from page["executions"]


def share(waits: Sequence[float], part: float) -> float:
    """The wait that so large a part of them does not exceed."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


if __name__ == "__main__":
    sys.exit(main())
