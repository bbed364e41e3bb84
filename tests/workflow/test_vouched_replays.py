"""Replays that an operator vouches for outlive the webhook's secret and Stripe's memory, and mint nothing."""

from typing import Any

import boto3
import pytest

from nyanko.adapters.kms_replays import ReplayMacs
from nyanko.deliveries import Delivery
from tests.data import MIKES_PURCHASE
from tests.stripe_events import refund_event, session_event, signed
from tests.workflow.engine import Workflow
from tests.workflow.lambda_runtime import SSM_PARAMETERS

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}
YEAR = 365 * 24 * 3600


def vouched(workflow: Workflow, delivery: Delivery, reason: str = "mended") -> Delivery:
    macs = ReplayMacs(lambda: boto3.client("kms"), SSM_PARAMETERS["replay_key_arn"])
    return macs.sign(delivery, "mike", workflow.now, reason)


def parked_a_year_ago(workflow: Workflow) -> Delivery:
    """A paid event that was believed and then parked, signed with a secret that no longer is."""
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("RecordPayment", "KeyError")
    assert workflow.deliver(signed(event)).status == "FAILED"
    workflow.now += YEAR
    return signed(event, secret="whsec_of_last_year")


def test_an_event_whose_secret_was_rolled_is_refused_without_an_operator(workflow: Workflow) -> None:
    delivery = parked_a_year_ago(workflow)
    assert workflow.deliver(delivery).status == "FAILED"
    assert workflow.event_row(delivery["event_id"])["parked_reason"] == "BadSignature"
    assert workflow.inventory() == {}


def test_an_operator_can_have_it_run_again(workflow: Workflow) -> None:
    delivery = parked_a_year_ago(workflow)
    replay = workflow.deliver(vouched(workflow, delivery))
    assert (replay.name, replay.status) == (f"{delivery['event_id']}-r1", "SUCCEEDED")
    assert workflow.inventory() == workflow.ledger() == ONE_PACK
    assert workflow.stripe_api.asked == [], "Stripe has forgotten it"
    row = workflow.event_row(delivery["event_id"])
    assert (row["state"], row["execution"]) == ("applied", replay.name)
    kept = {name: row[name] for name in ("body", "signature", "received_at")}
    assert kept == {name: delivery[name] for name in kept}  # type: ignore[literal-required] # three of its keys


@pytest.mark.parametrize(
    ("delivery_changed", "replay_changed"),
    [
        ({"body": "{}"}, {}),
        ({"event_id": "evt_another"}, {}),
        ({}, {"by": "tama"}),
        ({}, {"reason": "a gift"}),
        ({}, {"at": 0}),
        ({}, {"mac": ""}),
        ({}, {"mac": "猫"}),
    ],
)
def test_what_nobody_vouched_for_is_parked(
    workflow: Workflow, delivery_changed: dict[str, Any], replay_changed: dict[str, Any]
) -> None:
    replayed: Any = vouched(workflow, parked_a_year_ago(workflow))
    forged: Any = {**replayed, **delivery_changed, "replay": {**replayed["replay"], **replay_changed}}
    assert workflow.deliver(forged).status == "FAILED"
    assert workflow.event_row(forged["event_id"])["parked_reason"] == "BadSignature"
    assert workflow.inventory() == {}


def test_a_replay_waits_for_kms(workflow: Workflow) -> None:
    delivery = parked_a_year_ago(workflow)
    workflow.fail_call("verify_event", "VerifyMac", "ThrottlingException", times=2)
    assert workflow.deliver(vouched(workflow, delivery)).status == "SUCCEEDED"
    assert [waited.state for waited in workflow.backoff] == ["VerifyEvent", "VerifyEvent"]


def test_a_replay_of_a_purchase_that_was_refunded_meanwhile_grants_nothing(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    paid = signed(session_event("completed", purchase))
    workflow.fail("RecordPayment", "KeyError")
    assert workflow.deliver(paid).status == "FAILED"
    workflow.stripe_api.sessions["pi_mike"] = [
        {"id": "cs_test_mike", "mode": "payment", "metadata": {"purchase_id": MIKES_PURCHASE}}
    ]
    assert workflow.deliver(signed(refund_event("created", purchase))).status == "SUCCEEDED"
    assert workflow.deliver(vouched(workflow, paid)).status == "SUCCEEDED"
    assert workflow.event_row(paid["event_id"])["state"] == "applied"
    assert (workflow.inventory(), workflow.ledger()) == ({}, {})


def test_a_dead_letter_that_is_moved_back_runs_its_event_again(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("GrantItems", "KeyError")
    workflow.deliver(signed(paid))
    (letter,) = workflow.dead_letters()
    workflow.stripe_api.events[paid["id"]] = paid
    assert workflow.receive(letter) == []
    replay = workflow.executions(paid["id"])[-1]
    assert (replay.name, replay.status) == (f"{paid['id']}-r1", "SUCCEEDED")
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_a_letter_about_an_interrupted_execution_runs_its_event_again(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.meanwhile("RecordPayment", lambda: workflow.abort(paid["id"]))
    workflow.deliver(signed(paid))
    workflow.stripe_api.events[paid["id"]] = paid
    assert workflow.receive({"execution": paid["id"], "reason": "ABORTED"}) == []
    assert workflow.executions(paid["id"])[-1].status == "SUCCEEDED"
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_an_event_that_somebody_misses_runs_again_although_it_succeeded(workflow: Workflow) -> None:
    """Its row is gone, and Step Functions still knows the execution that wrote it."""
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.deliver(signed(paid))
    workflow.forget_event(paid["id"])
    workflow.stripe_api.events[paid["id"]] = paid
    assert workflow.receive({"event_id": paid["id"]}) == []
    assert workflow.event_row(paid["id"])["execution"] == f"{paid['id']}-r1"
    assert workflow.inventory() == workflow.ledger() == ONE_PACK
