"""What cannot go on is parked with its reason, rings the alarm, and is granted once its cause is mended."""

import json
from typing import Any

import pytest

from nyanko.deliveries import Delivery
from tests.data import purchase_id
from tests.stripe_events import (
    NOW,
    Event,
    event,
    refund_event,
    session_event,
    signature,
    signed,
)
from tests.workflow.engine import Execution, Workflow

PARKED = ["ParkEvent", "Parked"]


def assert_parked(
    workflow: Workflow, delivery: Delivery, execution: Execution, reason: str
) -> dict[str, Any]:
    """The event's row, once everything that parking promises was found to be true."""
    assert (execution.status, execution.error) == ("FAILED", "Parked")
    assert execution.states[-2:] == PARKED
    (letter,) = workflow.dead_letters()
    row = workflow.event_row(delivery["event_id"])
    assert letter == {
        "event_id": delivery["event_id"],
        "execution": execution.name,
        "reason": reason,
        "cause": row["cause"],
    }
    assert (row["state"], row["parked_reason"], row["parked_at"]) == ("parked", reason, workflow.now)
    assert row["execution"] == execution.name
    kept = {name: row.get(name) for name in ("body", "signature", "unverified_body", "unverified_signature")}
    given = delivery["body"], delivery["signature"]
    assert row["received_at"] == delivery["received_at"]
    assert tuple(kept.values()) == (*given, None, None) if was_claimed(execution) else (None, None, *given)
    assert "expires_at" not in row, "a parked event must not vanish"
    return row


def was_claimed(execution: Execution) -> bool:
    """Whether VerifyEvent believed the event: a replay may then be made from what was delivered."""
    return "ClaimEvent" in execution.states


def of_another_stage(paid: Event) -> Delivery:
    return signed({**paid, "livemode": True})


def signed_by_another(paid: Event) -> Delivery:
    return signed(paid, secret="whsec_of_another")


def changed_after_it_was_signed(paid: Event) -> Delivery:
    delivery = signed(paid)
    delivery["body"] = delivery["body"].replace('"amount_total": 1500', '"amount_total": 1')
    return delivery


def received_long_after_it_was_signed(paid: Event) -> Delivery:
    delivery = signed(paid)
    delivery["received_at"] += 301
    return delivery


def under_the_name_of_another(paid: Event) -> Delivery:
    return {**signed(paid), "event_id": "evt_of_another"}


def without_an_amount(paid: Event) -> Delivery:
    del paid["data"]["object"]["amount_total"]
    return signed(paid)


def not_an_event(paid: Event) -> Delivery:
    body = json.dumps({"id": paid["id"], "object": "list"})
    return {
        "event_id": paid["id"],
        "received_at": NOW,
        "body": body,
        "signature": signature(body.encode()),
    }


def unknown_to_stripe(paid: Event) -> Delivery:
    return {"event_id": paid["id"], "received_at": NOW, "body": "", "signature": ""}


@pytest.mark.parametrize(
    ("deliver", "reason"),
    [
        (of_another_stage, "WrongMode"),
        (signed_by_another, "BadSignature"),
        (changed_after_it_was_signed, "BadSignature"),
        (received_long_after_it_was_signed, "BadSignature"),
        (under_the_name_of_another, "MalformedEvent"),
        (without_an_amount, "MalformedEvent"),
        (not_an_event, "MalformedEvent"),
        (unknown_to_stripe, "UnknownToStripe"),
    ],
)
def test_an_event_that_must_not_be_believed_is_parked_before_it_is_claimed(
    workflow: Workflow, deliver: Any, reason: str
) -> None:
    delivery: Delivery = deliver(session_event("completed", workflow.sell(quantity=3)))
    execution = workflow.deliver(delivery)
    assert execution.states == ["VerifyEvent", *PARKED]
    assert_parked(workflow, delivery, execution, reason)
    assert workflow.backoff == [], "trying again would not change it"
    assert workflow.inventory() == {}


@pytest.mark.parametrize(
    ("changed", "cause"),
    [({"amount_total": 1}, "Stripe collects 1"), ({"currency": "usd"}, "Stripe says usd")],
    ids=["amount", "currency"],
)
def test_another_amount_or_currency_than_what_was_ordered_is_parked(
    workflow: Workflow, changed: dict[str, Any], cause: str
) -> None:
    delivery = signed(session_event("completed", workflow.sell(), **changed))
    execution = workflow.deliver(delivery)
    assert execution.states == ["VerifyEvent", "ClaimEvent", "RecordPayment", *PARKED]
    row = assert_parked(workflow, delivery, execution, "AmountMismatch")
    assert cause in row["cause"]
    assert row["type"] == "checkout.session.completed"
    assert workflow.purchase().facts.paid == 0
    assert workflow.inventory() == {}


def test_a_purchase_that_we_do_not_know_is_parked(workflow: Workflow) -> None:
    purchase = workflow.sell()
    metadata = {"purchase_id": purchase_id("nobody")}
    delivery = signed(session_event("completed", purchase, metadata=metadata))
    execution = workflow.deliver(delivery)
    row = assert_parked(workflow, delivery, execution, "UnknownPurchase")
    assert purchase_id("nobody") in row["cause"]


def test_a_fault_of_ours_is_parked_by_its_name(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell()))
    workflow.fail_call("grant_items", "TransactWriteItems", "ValidationException")
    execution = workflow.deliver(delivery)
    row = assert_parked(workflow, delivery, execution, "ClientError")
    assert "ValidationException" in row["cause"]
    assert workflow.inventory() == {}


def test_a_service_that_stays_down_is_parked_by_our_word_for_it(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell()))
    workflow.fail_call("record_payment", "UpdateItem", "ProvisionedThroughputExceededException", times=31)
    execution = workflow.deliver(delivery)
    assert_parked(workflow, delivery, execution, "ServiceUnavailable")
    assert len(workflow.backoff) == 30


def test_stripe_that_stays_down_is_parked_and_its_refund_is_not_lost(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    workflow.deliver(signed(session_event("completed", purchase)))
    delivery = signed(refund_event("created", purchase, payment_intent=None))
    workflow.stripe_api.down = True
    assert_parked(workflow, delivery, workflow.deliver(delivery), "StripeUnavailable")
    workflow.stripe_api.down = False
    workflow.stripe_api.charges["ch_mike"] = {"object": "charge", "payment_intent": "pi_mike"}
    assert workflow.deliver(delivery).status == "SUCCEEDED"
    assert workflow.inventory() == {"cat_food": 0, "toy_mouse": 0}


def test_a_function_that_times_out_again_and_again_is_parked(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell()))
    workflow.timeout("GrantItems", times=9)
    assert_parked(workflow, delivery, workflow.deliver(delivery), "States.Timeout")


def test_an_event_of_no_concern_that_cannot_be_written_down_is_parked(workflow: Workflow) -> None:
    delivery = signed(event("customer.created", {"id": "cus_tama", "object": "customer"}))
    workflow.fail("IgnoreEvent", "DynamoDB.AmazonDynamoDBException", times=31)
    execution = workflow.deliver(delivery)
    assert execution.states == ["VerifyEvent", "IgnoreEvent", *PARKED]
    assert_parked(workflow, delivery, execution, "DynamoDB.AmazonDynamoDBException")


def test_the_alarm_rings_even_when_parking_itself_fails(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell()))
    workflow.fail("RecordPayment", "KeyError", cause="'quantity'")
    workflow.fail_call("park_event", "UpdateItem", "ValidationException")
    execution = workflow.deliver(delivery)
    assert execution.states[-3:] == ["ParkEvent", "DeadLetter", "Parked"]
    assert (execution.status, execution.error) == ("FAILED", "Parked")
    assert workflow.dead_letters() == [
        {
            "event_id": delivery["event_id"],
            "execution": execution.name,
            "reason": "KeyError",
            "cause": "'quantity'",
        }
    ]
    assert workflow.event_row(delivery["event_id"])["state"] == "claimed"
    assert workflow.deliver(delivery, times=2).status == "SUCCEEDED", "and it can be replayed all the same"
    assert workflow.inventory() == {"cat_food": 30, "toy_mouse": 3}


def test_parking_again_after_the_alarm_failed_to_ring_rings_it(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell(), amount_total=1))
    workflow.fail_call("park_event", "SendMessage", "InternalServerError")
    execution = workflow.deliver(delivery)
    assert [waited.state for waited in workflow.backoff] == ["ParkEvent"]
    assert_parked(workflow, delivery, execution, "AmountMismatch")


def test_an_event_that_was_granted_meanwhile_is_neither_parked_nor_replayed(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))
    workflow.fail_after_effect("GrantItems", "KeyError")
    execution = workflow.deliver(delivery)
    assert execution.states[-2:] == PARKED
    assert workflow.event_row(delivery["event_id"])["state"] == "applied"
    assert workflow.dead_letters() == []
    assert workflow.deliver(delivery) == execution


def test_an_event_that_is_granted_after_another_execution_parked_it_is_parked_no_more(
    workflow: Workflow,
) -> None:
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))

    def park_it_beside() -> None:
        workflow.fail("RecordPayment", "KeyError")
        workflow.start(delivery, f"{delivery['event_id']}-beside")
        assert workflow.event_row(delivery["event_id"])["state"] == "parked"

    workflow.meanwhile("GrantItems", park_it_beside)
    assert workflow.deliver(delivery).status == "SUCCEEDED"
    row = workflow.event_row(delivery["event_id"])
    assert row["state"] == "applied"
    assert "parked_reason" not in row, "it would stay in the index of parked events"
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 10, "toy_mouse": 1}


@pytest.mark.parametrize("mended", ["signature", "amount", "mode"])
def test_a_resent_event_is_granted_once_the_cause_is_mended(workflow: Workflow, mended: str) -> None:
    purchase = workflow.sell(quantity=1)
    good = session_event("completed", purchase)
    bad = {
        "signature": signed(good, secret="whsec_of_another"),
        "amount": signed(session_event("completed", purchase, amount_total=1)),
        "mode": signed({**good, "livemode": True}),
    }[mended]
    workflow.deliver(bad)
    replay = workflow.deliver(signed(good))
    assert (replay.name, replay.status) == (f"{good['id']}-r1", "SUCCEEDED")
    row = workflow.event_row(good["id"])
    assert (row["state"], row["execution"]) == ("applied", replay.name)
    assert "parked_reason" not in row, "it leaves the index of parked events"
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 10, "toy_mouse": 1}
