"""What operators do when something broke: find it, see what a replay would do, replay, and balance the books.

`NYANKO_PURCHASES` sets how many purchases break at once; `make operations` takes 30.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.stack import Stack
from nyanko.adapters.dynamodb import to_item
from ops.cli import app
from tests.e2e.shop import Player, Shop, broken, eventually
from tests.processes import LINUX, LOOPBACK, listening

PURCHASES = int(os.environ.get("NYANKO_PURCHASES", "6"))
STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
BROKEN = "ResourceNotFoundException"
"""What DynamoDB says of a table that is not there."""


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    code: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@pytest.fixture(scope="module")
def nyanko(stack: Stack) -> Callable[..., Said]:
    def run(*arguments: str, typed: str = "") -> Said:
        given = ["--stage", "local", "--local-dir", str(stack.directory), *arguments]
        result = CliRunner().invoke(app, given, input=typed, catch_exceptions=False)
        return Said(result.exit_code, result.stdout)

    return run


@pytest.fixture(scope="module")
def reconcile(nyanko: Callable[..., Said]) -> Callable[..., Said]:
    """Of what happened since these tests began: others pay by hand-made events that Stripe never heard of."""
    began = time.time()

    def run(*arguments: str) -> Said:
        since = f"{int(time.time() - began) + 1}s"
        return nyanko("reconcile", "--since", since, "--settle", "0s", "--json", *arguments)

    return run


@contextmanager
def lost_webhooks(shop: Shop) -> Iterator[None]:
    """Nothing that Stripe sends arrives."""
    chaos = f"{shop.stack.stripe}/dashboard/chaos"
    headers = {"Content-Type": "application/json"}
    shop.request("PUT", chaos, b'{"drop": 1}', headers)
    try:
        yield
    finally:
        shop.request("DELETE", chaos)


def buy(shop: Shop, player: Player, count: int) -> list[str]:
    """Check out and pay by card, several at once; the purchases."""

    def one(_: int) -> str:
        opened = player.order()
        assert shop.pay(opened["url"]).status == 303
        return str(opened["purchase_id"])

    with ThreadPoolExecutor(2) as buyers:
        return list(buyers.map(one, range(count)))


def parked_for(
    shop: Shop, nyanko: Callable[..., Said], purchases: list[str], count: int
) -> list[dict[str, Any]]:
    """So many parked events of the purchases, once their executions have ended, a moment after they park."""
    client, machine = shop.client("stepfunctions"), shop.stack.outputs["PaymentStateMachineArn"]

    def running() -> set[str]:
        listed = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        return {one["name"] for one in listed}

    def look() -> list[dict[str, Any]]:
        listed = nyanko("parked", "--json").json
        return [one for one in listed if one["purchase_id"] in purchases and one["state"] == "parked"]

    seen = eventually(look, lambda waiting: len(waiting) == count)
    parked = {one["event_id"] for one in seen}
    assert not parked & eventually(running, lambda names: not parked & names)
    return seen


def rings(cloudwatch: Any, name: str) -> bool:
    """Whether an alarm is in ALARM, or gets there."""

    def look() -> str:
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[f"local_jm_nyanko_{name}"])["MetricAlarms"]
        return str(alarm["StateValue"])

    return eventually(look, lambda state: state == "ALARM") == "ALARM"


def told(cloudwatch: Any, metric: str, dimensions: Mapping[str, str]) -> float:
    """The sum of a metric of ours in the last hour."""
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace="local_jm_nyanko",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def times(count: int) -> dict[str, int]:
    return {item: count * packs for item, packs in STARTER_PACK.items()}


def test_what_broke_is_seen_foreseen_and_replayed(
    shop: Shop, player: Player, nyanko: Callable[..., Said], reconcile: Callable[..., Said], tmp_path: Path
) -> None:
    cloudwatch = shop.client("cloudwatch")
    others = told(cloudwatch, "Parked", {"service": "park_event", "reason": BROKEN})
    with broken(shop, "grant_items"):
        purchases = buy(shop, player, PURCHASES)
        waiting = parked_for(shop, nyanko, purchases, PURCHASES)

    def counted_and_parked() -> tuple[float, int]:
        # Stripe's second word of a refund in a test before may come now, and is parked as well.
        listed = [one for one in nyanko("parked", "--json").json if one["reason"] == BROKEN]
        counted = told(cloudwatch, "Parked", {"service": "park_event", "reason": BROKEN})
        return counted - others, len(listed)

    counted, listed = eventually(counted_and_parked, lambda seen: seen[0] == seen[1])
    assert counted == listed >= PURCHASES
    assert len(waiting) == PURCHASES
    assert {one["reason"] for one in waiting} == {BROKEN}
    assert {(one["player_id"], one["amount"]) for one in waiting} == {(player.player_id, 500)}
    assert player.items() == {}

    # The alarms ring, by the figures that they are made of.
    assert rings(cloudwatch, "parked")
    assert rings(cloudwatch, "executions_failed")
    letters = nyanko("dlq", "show", "--json")
    assert letters.code == 1
    assert {one["event_id"] for one in letters.json} >= {one["event_id"] for one in waiting}
    before = reconcile()
    assert before.code == 0, "what is parked is explained"
    assert before.json["sheet"]["outstanding_yen"] == PURCHASES * 500

    # A dry run writes nothing and says what the replay will do.
    foreseen = nyanko("replay", "--parked", "--reason", BROKEN, "--dry-run", "--json")
    assert foreseen.code == 0
    plans = [one for one in foreseen.json if one["purchase_id"] in purchases]
    assert len(plans) == PURCHASES
    for plan in plans:
        assert plan["changes"]["granted"] == [0, 1]
        assert {line["item_id"]: line["delta"] for line in plan["lines"]} == STARTER_PACK
        assert plan["notices"][0]["status"] == "granted"
    assert player.items() == {}

    replayed = nyanko("replay", "--parked", "--reason", BROKEN, "--yes", "--reason-text", "mended", "--json")
    assert replayed.code == 0
    assert {one["outcome"] for one in replayed.json} == {"applied"}
    assert player.items() == times(PURCHASES)
    assert parked_for(shop, nyanko, purchases, 0) == []
    event_id = waiting[0]["event_id"]
    story = nyanko("show", event_id, "--json").json
    assert [one["name"] for one in story["executions"]] == [event_id, f"{event_id}-r1"]
    assert [(one["execution"], one["reason"]) for one in story["replays"]] == [(f"{event_id}-r1", "mended")]
    assert "arn:aws:" in story["replays"][0]["by"]

    # Replaying again does nothing.
    again = nyanko("replay", event_id, "--yes", "--json")
    assert (again.code, again.json[0]["outcome"], again.json[0]["execution"]) == (0, "applied", None)
    assert len(shop.executions(event_id)) == 2

    after = reconcile()
    assert (after.code, after.json["unexplained"]) == (0, 0)
    assert (after.json["sheet"]["outstanding_yen"], after.json["sheet"]["unexplained_yen"]) == (0, 0)
    assert after.json["sheet"]["paid_yen"] == after.json["sheet"]["granted_yen"]
    assert nyanko("ledger", "verify", "--player", player.player_id).code == 0

    export = tmp_path / "letters.jsonl"
    assert nyanko("dlq", "purge", "--export", str(export), "--yes").code == 0
    assert len(export.read_text().splitlines()) >= PURCHASES
    assert nyanko("dlq", "show").code == 0


def test_dead_letters_that_are_sent_back_run_their_events_again(
    shop: Shop, player: Player, nyanko: Callable[..., Said]
) -> None:
    with broken(shop, "grant_items"):
        [purchase_id] = buy(shop, player, 1)
        [waiting] = parked_for(shop, nyanko, [purchase_id], 1)
    assert nyanko("dlq", "redrive", "--yes").code == 0
    assert player.status_becomes(purchase_id, "granted")
    row = eventually(lambda: shop.event_row(waiting["event_id"]), lambda row: row["state"] == "applied")
    assert row["execution"] == f"{waiting['event_id']}-r1"
    assert player.items() == STARTER_PACK


def test_webhooks_that_were_lost_on_the_way_are_found_and_made_up_for(
    shop: Shop, player: Player, reconcile: Callable[..., Said]
) -> None:
    with lost_webhooks(shop):
        purchases = buy(shop, player, 10)
        found = reconcile()
        assert found.code == 1
        missing = [one for one in found.json["findings"] if one["kind"] == "missing"]
        assert len(missing) == 10
        assert found.json["sheet"]["unexplained_yen"] == 10 * 500
        assert player.items() == {}
        repaired = reconcile("--repair", "--yes")
        assert (repaired.code, repaired.json["unexplained"]) == (0, 0)
        assert player.items() == times(10)
    assert all(player.status(purchase_id) == "granted" for purchase_id in purchases)


def test_a_refund_is_issued_once_and_takes_the_items_back(
    shop: Shop, player: Player, nyanko: Callable[..., Said], reconcile: Callable[..., Said]
) -> None:
    [purchase_id] = buy(shop, player, 1)
    assert player.status_becomes(purchase_id, "granted")
    first = nyanko("refund", purchase_id, "--yes", "--json")
    assert first.code == 0
    assert player.status_becomes(purchase_id, "refunded")
    # The refund is a fact before the items of it are taken.
    taken = eventually(player.items, lambda items: not any(items.values()))
    assert set(taken.values()) == {0}
    assert nyanko("refund", purchase_id, "--yes").code == 2, "nothing is left to refund"
    # The bank's last word on the refund comes seconds later, and takes its way through the pipeline.
    assert eventually(reconcile, lambda said: said.code == 0).code == 0


@LINUX
def test_the_console_listens_on_loopback_until_it_is_interrupted(shop: Shop, stack: Stack) -> None:
    command = "from ops.cli import app; app()"
    given = ["--stage", "local", "--local-dir", str(stack.directory), "console", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", command, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as console:
        assert console.stdout is not None
        url = console.stdout.readline().strip()
        entered = shop.request("GET", url)
        seen = listening([console.pid])
        console.send_signal(signal.SIGINT)
        _, said = console.communicate(timeout=30)
    assert (entered.status, "nyanko_console=" in entered.headers["Set-Cookie"]) == (302, True)
    assert seen == {(LOOPBACK, int(url.split(":")[2].partition("/")[0]))}
    assert (console.returncode, said.splitlines()[-1]) == (0, "stopped")


def test_what_was_deleted_by_hand_is_named(
    shop: Shop, player: Player, nyanko: Callable[..., Said], reconcile: Callable[..., Said]
) -> None:
    [purchase_id] = buy(shop, player, 1)
    assert player.status_becomes(purchase_id, "granted")
    [event_id] = [one["event_id"] for one in nyanko("show", purchase_id, "--json").json["events"]]
    assert shop.event_state(event_id) == "applied"
    [line_id] = [line["line_id"] for line in shop.ledger(player.player_id) if line["item_id"] == "red_ribbon"]
    delete(shop, "ledger", player_id=player.player_id, line_id=line_id)
    delete(shop, "inventory", player_id=player.player_id, item_id="catnip")
    delete(shop, "events", event_id=event_id)

    books = nyanko("ledger", "verify", "--json")
    assert books.code == 1
    assert [(one["item_id"], one["ledger"], one["inventory"]) for one in books.json["unequal"]] == [
        ("catnip", 5, 0),
        ("red_ribbon", 0, 1),
    ]
    found = reconcile()
    assert found.code == 1
    assert sorted((one["kind"], one["about"]) for one in found.json["findings"]) == [
        ("inventory", player.player_id),
        ("inventory", player.player_id),
        ("ledger", purchase_id),
        ("missing", event_id),
    ]

    # The event comes back by itself; books are mended by people.
    reconcile("--repair", "--yes")
    assert shop.event_state(event_id) == "applied"
    assert {one["kind"] for one in reconcile().json["findings"]} == {
        "ledger",
        "inventory",
    }


def delete(shop: Shop, noun: str, **key: str) -> None:
    shop.client("dynamodb").delete_item(TableName=f"local_jm_nyanko_{noun}", Key=to_item(key))
