"""Things are killed in the middle of a purchase; it ends granted, and granted once."""

import json
import os
import signal
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.shop import Player, Shop, eventually, session_event
from tests.processes import LINUX, frozen, was_told_something

STATES = ["verify_event", "record_payment", "grant_items", "notify_player"]
STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}


@pytest.fixture
def paid(shop: Shop, player: Player) -> dict[str, Any]:
    """A purchase and its event that nobody has been told of yet, after another has warmed every function."""
    warming = player.order()
    shop.deliver(json.dumps(session_event(f"evt_{warming['purchase_id']}", warming)).encode())
    assert player.status_becomes(warming["purchase_id"], "granted")
    assert eventually(lambda: player.get("/notices").body["notices"], bool)
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened)
    return {"event": event, "body": json.dumps(event).encode(), "purchase_id": opened["purchase_id"]}


def assert_granted_once_more(shop: Shop, player: Player, purchase_id: str) -> None:
    assert player.status_becomes(purchase_id, "granted")
    assert player.items() == {item_id: 2 * count for item_id, count in STARTER_PACK.items()}
    lines = [line for line in shop.ledger(player.player_id) if line["line_id"].startswith(purchase_id)]
    assert {line["item_id"]: line["delta"] for line in lines} == STARTER_PACK


def function(name: str) -> str:
    return f"AWS_LAMBDA_FUNCTION_NAME=local_jm_nyanko_{name}"


@LINUX
@pytest.mark.parametrize("name", STATES)
def test_a_function_killed_in_the_middle_of_a_purchase_is_run_again(
    shop: Shop, stack: Stack, player: Player, paid: dict[str, Any], name: str
) -> None:
    with frozen(stack.processes["ministack"].pid, function(name)) as pids:
        assert shop.deliver(paid["body"]).status == 200
        assert eventually(lambda: was_told_something(pids), bool)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    assert_granted_once_more(shop, player, paid["purchase_id"])


@LINUX
@pytest.mark.parametrize("name", ["verify_event", "record_payment", "grant_items"])
def test_when_the_whole_of_step_functions_is_killed_a_redelivery_ends_the_purchase(
    shop: Shop, stack: Stack, player: Player, paid: dict[str, Any], name: str
) -> None:
    stepfunctions = stack.processes["stepfunctions"]
    with frozen(stack.processes["ministack"].pid, function(name)) as pids:
        assert shop.deliver(paid["body"]).status == 200
        assert eventually(lambda: was_told_something(pids), bool)
        killed = stepfunctions.pid
        os.killpg(killed, signal.SIGKILL)
    assert eventually(lambda: stepfunctions.pid != killed, bool)
    stepfunctions.await_health()
    assert shop.executions(paid["event"]["id"]) == []
    assert shop.deliver(paid["body"]).status == 200
    assert shop.event_state(paid["event"]["id"]) == "applied"
    assert_granted_once_more(shop, player, paid["purchase_id"])
