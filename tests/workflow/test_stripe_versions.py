"""Events in other versions of Stripe's API: what is delivered is read or looked up, what is fetched is a
pointer.

The stand-in gives the events that it is asked for the account's default version, and of their objects no more
than the ids.
"""

from typing import Any

import pytest

from nyanko.deliveries import delivery_by_id
from ops import use_cases
from tests.data import MIKES_PURCHASE
from tests.stripe_events import Event, dispute_event, refund_event, session_event, signed
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}
SESSION = "GET /v1/checkout/sessions/cs_test_mike"


def known(workflow: Workflow, event: Event) -> Event:
    """Stripe knows the event; it was never delivered."""
    workflow.stripe_api.events[event["id"]] = event
    return event


def test_an_event_that_was_never_delivered_is_granted_by_what_stripe_has_now(workflow: Workflow) -> None:
    paid = known(workflow, session_event("completed", workflow.sell(quantity=1)))
    assert workflow.receive({"event_id": paid["id"]}) == []
    assert workflow.inventory() == workflow.ledger() == ONE_PACK
    assert workflow.stripe_api.asked == [f"GET /v1/events/{paid['id']}", SESSION]
    row = workflow.event_row(paid["id"])
    assert (row["state"], row["body"], row["signature"]) == ("applied", "", "")


@pytest.mark.parametrize("times", [1, 2])
def test_a_fetched_event_stays_a_pointer_in_replays(workflow: Workflow, times: int) -> None:
    paid = known(workflow, session_event("completed", workflow.sell(quantity=1)))
    for _ in range(times):
        workflow.fail("RecordPayment", "KeyError")
        workflow.receive({"event_id": paid["id"]})
    assert workflow.event_row(paid["id"])["state"] == "parked"
    replay = use_cases.replay(stage_of_the_workflow())
    [ended] = replay.finish([replay.start(paid["id"], "mended", workflow.now)], sleep=lambda _: None)
    assert ended.outcome == "applied"
    assert workflow.stripe_api.asked.count(SESSION) == times + 1
    assert workflow.inventory() == ONE_PACK


def test_our_own_row_is_believed_before_stripe_is_asked(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("RecordPayment", "KeyError")
    workflow.deliver(signed(paid))
    assert workflow.receive({"event_id": paid["id"]}) == []
    assert workflow.inventory() == ONE_PACK
    assert workflow.stripe_api.asked == []


def test_a_row_whose_secret_is_gone_is_fetched(workflow: Workflow) -> None:
    paid = known(workflow, session_event("completed", workflow.sell(quantity=1)))
    workflow.fail("VerifyEvent", "KeyError")
    workflow.deliver(signed(paid, secret="whsec_of_last_year"))
    assert workflow.receive({"event_id": paid["id"]}) == []
    assert workflow.inventory() == ONE_PACK
    assert SESSION in workflow.stripe_api.asked


@pytest.mark.parametrize("version", ["2020-08-27", "2026-09-30.endive", None])
def test_a_delivery_in_another_version_is_read_without_asking(
    workflow: Workflow, version: str | None
) -> None:
    paid = session_event("completed", workflow.sell(quantity=1)) | {"api_version": version}
    workflow.deliver(signed(paid))
    assert workflow.inventory() == ONE_PACK
    assert workflow.stripe_api.asked == []


def test_what_is_missing_in_another_version_is_looked_up_in_ours(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.stripe_api.objects["cs_test_mike"] = paid["data"]["object"]
    old: dict[str, Any] = {**paid["data"]["object"]}
    del old["payment_status"]
    workflow.deliver(signed(paid | {"api_version": "2019-12-03", "data": {"object": old}}))
    assert workflow.inventory() == ONE_PACK
    assert workflow.stripe_api.asked == [SESSION]


def test_what_is_missing_in_our_own_version_is_parked_without_asking(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1), amount_total=None)
    workflow.deliver(signed(paid))
    row = workflow.event_row(paid["id"])
    assert (row["state"], row["parked_reason"]) == ("parked", "MalformedEvent")
    assert row["purchase_id"] == MIKES_PURCHASE, "the body names it, so whoever looks for it finds this"
    assert workflow.stripe_api.asked == []


def test_a_lost_end_of_a_dispute_is_told_as_of_today(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    workflow.deliver(signed(session_event("completed", purchase)))
    opened = dispute_event("created", purchase)
    workflow.deliver(signed(opened))
    assert workflow.purchase().granted == 0
    won = {**opened["data"]["object"], "status": "won"}
    workflow.stripe_api.objects[won["id"]] = won
    workflow.now += 3600
    known(workflow, dispute_event("updated", purchase, status="under_review"))
    assert workflow.receive({"event_id": dispute_event("updated", purchase)["id"]}) == []
    assert workflow.purchase().facts.disputes[won["id"]].at == workflow.now
    assert workflow.purchase().granted == 1


def test_an_object_that_stripe_does_not_know_has_a_reason_of_its_own(workflow: Workflow) -> None:
    refunded = refund_event("created", workflow.sell(quantity=1), payment_intent=None)
    workflow.deliver(signed(refunded))
    assert workflow.event_row(refunded["id"])["parked_reason"] == "UnknownToStripe"


def test_a_copy_beside_a_running_one_comes_back_once_and_then_is_a_duplicate(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    copy = signed(paid | {"api_version": "2020-08-27"})
    answers: list[list[int]] = []

    def again() -> None:
        answers.extend(workflow.receive(copy, times=times) for times in (1, 2))

    workflow.meanwhile("RecordPayment", again)
    workflow.deliver(signed(paid))
    assert answers == [[0], []]
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_the_good_copy_is_granted_after_the_other_one_has_parked(workflow: Workflow) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    good = signed(event)
    workflow.fail("VerifyEvent", "KeyError")
    workflow.meanwhile("VerifyEvent", lambda: workflow.receive(good))
    workflow.start(signed(event, secret="whsec_that_nobody_knows"))
    assert workflow.event_row(event["id"])["state"] == "parked"
    assert workflow.receive(good, times=2) == []
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_what_only_names_an_event_beside_a_running_one_does_not_run_it_twice(workflow: Workflow) -> None:
    paid = known(workflow, session_event("completed", workflow.sell(quantity=1)))
    missed = delivery_by_id(paid["id"], workflow.now)
    workflow.meanwhile("RecordPayment", lambda: workflow.receive(missed))
    workflow.deliver(signed(paid))
    assert len(workflow.executions(paid["id"])) == 1
