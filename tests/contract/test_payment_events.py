"""Each event of `events/payments/`, about the samples' purchase, does to it what its name says."""

import json
from typing import Any

import pytest

from local import event
from nyanko.purchases import Purchase
from nyanko.views import purchase_view
from tests.data import SAMPLES, player_id, purchase_id
from tests.stripe_events import SECRET
from tests.workflow.engine import Workflow

PURCHASE_ID, PLAYER_ID = (SAMPLES["notify_player"]["purchase"][key] for key in ("purchase_id", "player_id"))
PACKS: dict[int, dict[str, int]] = {
    0: {},
    2: {"cat_food": 20, "toy_mouse": 2},
    3: {"cat_food": 30, "toy_mouse": 3},
}
HISTORIES = [
    ("paid_by_card", "granted", 3),
    ("konbini_pending", "pending", 0),
    ("konbini_pending konbini_paid", "granted", 3),
    ("paid_by_card partial_refund", "partially_refunded", 2),
    ("paid_by_card full_refund", "refunded", 0),
    ("paid_by_card dispute_opened", "disputed", 0),
    ("paid_by_card dispute_opened dispute_lost", "disputed", 0),
    ("paid_by_card dispute_opened dispute_won", "granted", 3),
    ("expired", "expired", 0),
]


def happen(workflow: Workflow, purchase: Purchase, *names: str) -> None:
    """Let the webhook get the events, one after the other, and all that follows."""
    for name in names:
        told = event.about(purchase, event.EVENTS[name].read_text(), workflow.now)
        answer = workflow.invoke("stripe_webhook", event.request(told, SECRET, workflow.now))
        assert answer["statusCode"] == 200, answer
        if queued := workflow.queued():
            workflow.receive(*queued)


@pytest.fixture
def sold(workflow: Workflow) -> Purchase:
    return workflow.sell(PURCHASE_ID, PLAYER_ID, quantity=3)


@pytest.mark.parametrize(("names", "status", "packs"), HISTORIES)
def test_a_purchase_becomes_what_its_events_say(
    workflow: Workflow, sold: Purchase, names: str, status: str, packs: int
) -> None:
    happen(workflow, sold, *names.split())
    assert purchase_view(workflow.purchase(PURCHASE_ID))["status"] == status
    granted = {item: quantity for item, quantity in workflow.inventory(PLAYER_ID).items() if quantity}
    assert granted == PACKS[packs]
    assert {row["state"] for row in workflow.rows("events")} == {"applied"}


def test_an_unknown_type_ends_in_the_webhook(workflow: Workflow, sold: Purchase) -> None:
    happen(workflow, sold, "unknown_type")
    assert workflow.rows("events") == []
    assert workflow.purchase(PURCHASE_ID) == sold


def test_a_tampered_amount_is_parked(workflow: Workflow, sold: Purchase) -> None:
    happen(workflow, sold, "tampered_amount")
    ((state, reason),) = [(row["state"], row["parked_reason"]) for row in workflow.rows("events")]
    assert (state, reason) == ("parked", "AmountMismatch")
    assert workflow.purchase(PURCHASE_ID).facts == sold.facts
    workflow.dead_letters()


def test_every_event_is_replayed() -> None:
    replayed = {name for names, _, _ in HISTORIES for name in names.split()}
    assert replayed | {"unknown_type", "tampered_amount"} == event.EVENTS.keys()


def test_an_event_about_another_purchase_names_that_one_alone(workflow: Workflow) -> None:
    other = workflow.sell(purchase_id("other"), player_id("other"), quantity=1)
    for path in event.EVENTS.values():
        told: dict[str, Any] = event.about(other, path.read_text(), workflow.now)
        assert "Mike0" not in json.dumps(told).replace(event.SAMPLES_SESSION, "")
        assert PURCHASE_ID not in json.dumps(told)
