"""What an event takes of AWS: no more than its budget, and the same however many there are."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.event import EVENTS, about
from nyanko.adapters.dynamodb import to_item
from nyanko.composition.function import adapters
from nyanko.purchases import Purchase
from tests.workflow.counting import Counts, deliver, put
from tests.workflow.engine import Workflow

BUDGET: Mapping[str, Mapping[str, int]] = yaml.safe_load(Path(__file__).with_name("budget.yaml").read_text())

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


def of_an_uninteresting_type(workflow: Workflow) -> Counts:
    """An event of a type that says nothing of a purchase."""
    return deliver(workflow, json.loads(EVENTS["unknown_type"].read_text()))


def of_another_application(workflow: Workflow) -> Counts:
    """A session of the same Stripe account that no purchase of ours opened."""
    event = paid(workflow, sell(workflow, 4))
    event["data"]["object"]["metadata"] = {"order": "of_another_shop"}
    return deliver(workflow, event)


KINDS: Mapping[str, Callable[[Workflow], Counts]] = {
    "purchase": purchase,
    "purchase, player away": purchase_of_the_absent,
    "duplicate": duplicate,
    "uninteresting type": of_an_uninteresting_type,
    "another application's": of_another_application,
}


@pytest.fixture
def warm(workflow: Workflow) -> Workflow:
    """Every function has run once, and so has read what it reads once."""
    purchase(workflow, 0)
    return workflow


def test_every_kind_of_event_has_a_budget() -> None:
    assert BUDGET.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_stays_within_its_budget(warm: Workflow, kind: str) -> None:
    took = KINDS[kind](warm).totals
    assert took.keys() == BUDGET[kind].keys()
    excess = {what: number for what, number in took.items() if number > BUDGET[kind][what]}
    assert not excess, "if it is worth it, change budget.yaml and say why in the commit"


def test_of_another_applications_event_only_its_row_is_written(warm: Workflow) -> None:
    assert set(of_another_application(warm).write_units) == {"events"}


def test_a_retry_is_one_more_transition(warm: Workflow) -> None:
    undisturbed = purchase(warm, 1).transitions
    warm.fail_after_effect("RecordPayment")
    assert purchase(warm, 2).transitions == undisturbed + 1


def test_a_purchase_takes_as_much_however_many_there_are(warm: Workflow) -> None:
    first = purchase(warm, 1)
    seed(10, PLAYER, 1_000)
    seed(10, ABSENT, 2_000)
    after_twenty = purchase(warm, 2)
    seed(500, PLAYER, 10_000)
    seed(500, ABSENT, 20_000)
    after_a_thousand = purchase(warm, 3)
    assert first == after_twenty == after_a_thousand
    assert not [what for _, what in first.calls if what == "dynamodb Scan"]


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


def seed(purchases: int, player_id: str, first: int) -> None:
    """Put granted purchases with all their rows into the tables, numbered from `first`."""
    for number in range(first, first + purchases):
        name = f"{number:032x}"
        purchase_id = f"pur_{name}"
        rows: dict[str, dict[str, Any]] = {
            "purchases": {
                "purchase_id": purchase_id,
                "player_id": player_id,
                "created_at": 1,
                "version": 2,
            },
            "events": {
                "event_id": f"evt_{name}",
                "purchase_id": purchase_id,
                "created": 1,
                "state": "applied",
            },
            "ledger": {"player_id": player_id, "line_id": f"{purchase_id}#2#cat_food", "delta": 10},
            "notices": {"player_id": player_id, "notice_id": f"1.{name}.2", "notice": {}},
        }
        for noun, row in rows.items():
            put(noun, to_item(row))
