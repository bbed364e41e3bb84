"""Every way through the workflow that ends well, by the exact states that it passes."""

import json

import pytest

from nyanko.deliveries import MAX_BYTES
from nyanko.purchases import status
from tests.data import MIKE, MIKES_PURCHASE
from tests.stripe_events import (
    charge_refunded,
    event,
    refund,
    refund_event,
    session_event,
    signed,
)
from tests.workflow.engine import Workflow

GRANTED = ["VerifyEvent", "ClaimEvent", "RecordPayment", "GrantItems", "NotifyPlayer"]
IGNORED = ["VerifyEvent", "IgnoreEvent"]


def test_a_paid_purchase_is_granted(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=3))
    execution = workflow.deliver(signed(paid))
    assert (execution.name, execution.status, execution.states) == (paid["id"], "SUCCEEDED", GRANTED)
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 30, "toy_mouse": 3}
    assert workflow.dead_letters() == []


def test_what_happened_is_written_down(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))
    workflow.now += 5
    execution = workflow.deliver(delivery)
    row = workflow.event_row(delivery["event_id"])
    assert row == {
        "event_id": delivery["event_id"],
        "type": "checkout.session.completed",
        "state": "applied",
        "created": delivery["received_at"],
        "received_at": delivery["received_at"],
        "body": delivery["body"],
        "signature": delivery["signature"],
        "execution": execution.name,
        "purchase_id": MIKES_PURCHASE,
        "applied_at": workflow.now,
        "expires_at": delivery["received_at"] + 400 * 24 * 3600,
    }
    assert {line["line_id"] for line in workflow.rows("ledger")} == {
        f"{MIKES_PURCHASE}#2#cat_food",
        f"{MIKES_PURCHASE}#2#toy_mouse",
    }
    assert all(line["execution"] == execution.name for line in workflow.rows("ledger"))
    assert execution.output["granted"]["grant"]["notice"]["items"] == {"cat_food": 10, "toy_mouse": 1}


def test_the_player_is_notified_once_for_each_version(workflow: Workflow) -> None:
    workflow.deliver(signed(session_event("completed", workflow.sell(quantity=1))))
    (notice,) = workflow.rows("notices")
    assert notice["player_id"] == MIKE.player_id
    assert notice["notice"] == {
        "type": "purchase.updated",
        "purchase_id": MIKES_PURCHASE,
        "status": "granted",
        "items": {"cat_food": 10, "toy_mouse": 1},
    }


@pytest.mark.parametrize(
    ("happened", "ends_as"),
    [("async_payment_succeeded", "granted"), ("async_payment_failed", "failed"), ("expired", "expired")],
)
def test_a_payment_at_the_konbini_ends_as_stripe_says(
    workflow: Workflow, happened: str, ends_as: str
) -> None:
    purchase = workflow.sell(quantity=1)
    chosen = workflow.deliver(signed(session_event("completed", purchase, payment_status="unpaid")))
    assert (chosen.states, workflow.inventory()) == (GRANTED, {})
    assert status(workflow.purchase()) == "pending"
    paid = "paid" if ends_as == "granted" else "unpaid"
    ended = workflow.deliver(signed(session_event(happened, purchase, payment_status=paid)))
    assert ended.states == GRANTED
    assert status(workflow.purchase()) == ends_as
    assert workflow.inventory() == ({"cat_food": 10, "toy_mouse": 1} if ends_as == "granted" else {})


def test_of_a_refunded_charge_stripe_is_asked_which_refunds(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=3)
    workflow.deliver(signed(session_event("completed", purchase)))
    workflow.stripe_api.refunds["ch_mike"] = [
        refund(purchase, id="re_first", amount=500),
        refund(purchase, id="re_second", amount=500),
        refund(purchase, id="re_failed", amount=500, status="failed"),
    ]
    workflow.deliver(signed(charge_refunded(purchase, 1000)))
    assert workflow.inventory() == {"cat_food": 10, "toy_mouse": 1}
    assert set(workflow.purchase().facts.refunds) == {"re_first", "re_second", "re_failed"}


def test_a_body_too_large_to_carry_travels_by_id(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1), large="にゃ" * 130_000)
    workflow.stripe_api.events[paid["id"]] = paid
    delivery = signed(paid)
    assert delivery["body"] == ""
    execution = workflow.deliver(delivery)
    assert (execution.status, execution.states) == ("SUCCEEDED", GRANTED)
    assert workflow.stripe_api.asked == [
        f"GET /v1/events/{paid['id']}",
        "GET /v1/checkout/sessions/cs_test_mike",
    ]
    assert workflow.inventory() == {"cat_food": 10, "toy_mouse": 1}


def test_the_largest_body_that_is_carried_fits_through_every_state(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    padding = MAX_BYTES - len(json.dumps(signed(session_event("completed", purchase, padding=""))))
    delivery = signed(session_event("completed", purchase, padding="n" * padding))
    assert len(json.dumps(delivery)) == MAX_BYTES
    workflow.fail("NotifyPlayer", "KeyError", cause="a long stack trace " * 500)
    assert workflow.deliver(delivery).states == [*GRANTED, "NotNotified"]


@pytest.mark.parametrize(
    "not_ours",
    [
        event("customer.created", {"id": "cus_tama", "object": "customer"}),
        event("checkout.session.completed", {"id": "cs_1", "mode": "subscription", "metadata": {}}),
        event("checkout.session.completed", {"id": "cs_2", "mode": "payment", "metadata": None}),
    ],
    ids=lambda stripe_event: stripe_event["data"]["object"]["id"],
)
def test_what_is_not_about_a_purchase_of_ours_is_ignored_and_not_kept(
    workflow: Workflow, not_ours: dict[str, object]
) -> None:
    delivery = signed(not_ours)
    execution = workflow.deliver(delivery)
    assert (execution.status, execution.states) == ("SUCCEEDED", IGNORED)
    row = workflow.event_row(delivery["event_id"])
    assert json.loads(row.pop("cause"))["errorMessage"] == (
        f"{delivery['event_id']} is {not_ours['type']}, and not of a purchase of ours"
    )
    assert row == {
        "event_id": delivery["event_id"],
        "state": "ignored",
        "received_at": delivery["received_at"],
        "execution": execution.name,
        "expires_at": delivery["received_at"] + 400 * 24 * 3600,
    }
    assert workflow.dead_letters() == []


def test_an_event_of_a_connected_account_is_ignored(workflow: Workflow) -> None:
    connected = {**session_event("completed", workflow.sell()), "account": "acct_kuro"}
    assert workflow.deliver(signed(connected)).states == IGNORED
    assert workflow.inventory() == {}


def test_a_refund_of_a_payment_that_is_not_ours_is_ignored(workflow: Workflow) -> None:
    purchase = workflow.sell()
    not_ours = refund_event("created", purchase, payment_intent="pi_of_another_shop")
    assert workflow.deliver(signed(not_ours)).states == IGNORED
