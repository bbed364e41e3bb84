"""`nyanko refund` on the running stack, whose webhook comes by itself."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.stack import Stack
from ops.cli import app
from ops.output import REFUSED
from tests.e2e.shop import Player, Shop

SECONDS_BETWEEN = 4
Nyanko = Callable[..., Result]


@pytest.fixture(scope="module")
def nyanko(stack: Stack) -> Nyanko:
    def run(*arguments: str) -> Result:
        given = ["--stage", "local", "--local-dir", str(stack.directory), *arguments]
        return CliRunner().invoke(app, given, catch_exceptions=False)

    return run


def bought(shop: Shop, player: Player) -> dict[str, Any]:
    opened = player.order()
    assert shop.pay(opened["url"]).status == 303
    assert player.status_becomes(opened["purchase_id"], "granted")
    return opened


def refunds_of(shop: Shop, session_id: str) -> list[dict[str, Any]]:
    payment = shop.payment_intent(session_id)
    found: list[dict[str, Any]] = shop.stripe(f"/v1/refunds?payment_intent={payment}")["data"]
    return found


def test_a_refund_given_twice_four_seconds_apart_is_made_once(
    shop: Shop, player: Player, nyanko: Nyanko
) -> None:
    opened = bought(shop, player)
    purchase_id = opened["purchase_id"]
    first = nyanko("refund", purchase_id, "--amount", "300", "--reason-text", "twice", "--yes", "--json")
    assert first.exit_code == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["settled"], told["purchase"]["refunded"]) == (True, 300)
    time.sleep(SECONDS_BETWEEN)  # the time itself is what is tested: the webhook has long come
    second = nyanko("refund", purchase_id, "--amount", "300", "--reason-text", "twice", "--yes")
    assert second.exit_code == REFUSED
    assert told["refund_id"] in second.stderr
    [made] = refunds_of(shop, opened["session_id"])
    assert (made["id"], made["metadata"]["reason"]) == (told["refund_id"], "twice")
    assert "arn:aws:" in made["metadata"]["operator"]
    assert player.status(purchase_id) == "partially_refunded"
