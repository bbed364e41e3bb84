"""`make event` writes what the webhook takes."""

import json
import subprocess
import sys

from local.names import ROOT
from tests.data import purchase_id
from tests.e2e.shop import Player, Shop


def written(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    directory = ["--directory", str(shop.stack.directory)]
    command = [sys.executable, "-m", "local.event", *directory, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_purchase_is_paid_by_an_event_that_was_written_for_it(shop: Shop, player: Player) -> None:
    purchase_id = player.order(quantity=2)["purchase_id"]
    done = written(shop, "paid_by_card", purchase_id)
    path = shop.stack.directory / "event.json"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"make sam-invoke FUNCTION=stripe_webhook EVENT={path}\n"
    event = json.loads(path.read_text())
    answered = shop.deliver(event["body"].encode(), event["headers"]["Stripe-Signature"])
    assert answered.status == 200
    assert player.status_becomes(purchase_id, "granted")


def test_a_purchase_that_is_not_there_is_named(shop: Shop) -> None:
    done = written(shop, "paid_by_card", purchase_id("none"))
    assert (done.returncode, done.stderr) == (1, f"the local stack has no purchase {purchase_id('none')}\n")
