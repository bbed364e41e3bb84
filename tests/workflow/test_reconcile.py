"""The scheduled run: what Stripe has and we have not is asked for again, never around the workflow."""

from collections.abc import Callable
from typing import Any

import pytest

from nyanko.purchases import Purchase
from nyanko.reconciliation import DAY_SECONDS, DRIFT_SECONDS, MEMORY_SECONDS, OVERDUE_SECONDS, SETTLED_SECONDS
from ops import use_cases
from tests import template
from tests.data import KUROS_PURCHASE, TAMAS_PURCHASE, purchase_id
from tests.invocation import invocation
from tests.stripe_events import (
    Event,
    checkout_session,
    dispute_event,
    payment_intent_id,
    refund,
    session_event,
    signed,
)
from tests.workflow import lambda_runtime
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}
NOTHING = {"missing": 0, "stuck": 0, "overdue": 0, "drift": 0}


def reconcile(workflow: Workflow) -> dict[str, Any]:
    """One run; what it found, without how far it came."""
    result: dict[str, Any] = workflow.invoke("reconcile", {})
    assert result["listing"] == "done"
    return {name: result[name] for name in NOTHING}


def happen(workflow: Workflow, *events: Event) -> None:
    """Stripe knows of the events, and has told us of none."""
    for event in events:
        workflow.stripe_api.events[event["id"]] = event | {"created": workflow.now}
    workflow.now += SETTLED_SECONDS + 1


def charged(purchase: Purchase, **changed: Any) -> dict[str, Any]:
    """The purchase's paid session as Stripe lists it, payment and charge in place."""
    charge = {
        "id": "ch_1",
        "object": "charge",
        "created": purchase.created_at,
        "amount_refunded": 0,
        "disputed": False,
        **changed,
    }
    payment = {"id": payment_intent_id(purchase), "object": "payment_intent", "latest_charge": charge}
    return checkout_session(purchase, payment_intent=payment)


def deliver_queued(workflow: Workflow) -> None:
    for message in workflow.queued():
        assert workflow.receive(message) == []


def test_a_webhook_that_never_came_is_made_up_for(workflow: Workflow) -> None:
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    assert reconcile(workflow) == {**NOTHING, "missing": 1}
    deliver_queued(workflow)
    assert workflow.inventory() == workflow.ledger() == ONE_PACK
    assert reconcile(workflow) == NOTHING


def undelivered(workflow: Workflow) -> int:
    return int(workflow.invoke("reconcile", {})["undelivered"])


def test_lost_events_in_an_hour_without_another_say_that_stripe_delivers_nothing(workflow: Workflow) -> None:
    assert undelivered(workflow) == 0
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    assert undelivered(workflow) == 1
    deliver_queued(workflow)
    assert undelivered(workflow) == 0


def test_an_event_that_arrived_in_the_last_hour_says_that_stripe_delivers(workflow: Workflow) -> None:
    arrived = session_event("completed", workflow.sell(TAMAS_PURCHASE, quantity=1))
    workflow.deliver(signed(arrived))
    happen(workflow, arrived, session_event("completed", workflow.sell(quantity=1)))
    assert undelivered(workflow) == 0


def test_what_arrived_before_the_last_hour_does_not_hide_that_stripe_delivers_nothing(
    workflow: Workflow,
) -> None:
    arrived = session_event("completed", workflow.sell(TAMAS_PURCHASE, quantity=1))
    workflow.deliver(signed(arrived))
    happen(workflow, arrived)
    workflow.now += 3600
    workflow.stripe_api.page_size = 1
    happen(
        workflow, *(session_event("completed", workflow.sell(purchase_id(n), quantity=1)) for n in range(3))
    )
    assert undelivered(workflow) == 1


def test_what_is_on_its_way_from_stripe_is_waited_for(workflow: Workflow) -> None:
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    workflow.now -= 2
    assert reconcile(workflow) == NOTHING


def test_what_came_to_its_end_is_left_alone(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    foreign = session_event("completed", workflow.sell(TAMAS_PURCHASE), metadata={})
    parked = session_event("completed", workflow.sell(KUROS_PURCHASE), amount_total=1)
    workflow.deliver(signed(paid), signed(foreign), signed(parked))
    happen(workflow, paid, foreign, parked)
    assert reconcile(workflow) == NOTHING
    assert workflow.queued() == []


def test_an_event_whose_execution_died_is_run_again(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    workflow.meanwhile("ClaimEvent", lambda: workflow.abort(paid["id"]), after_effect=True)
    workflow.deliver(signed(paid))
    happen(workflow, paid)
    assert reconcile(workflow) == {**NOTHING, "stuck": 1}
    deliver_queued(workflow)
    assert workflow.executions(paid["id"])[-1].name == f"{paid['id']}-r1"
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_an_event_whose_execution_runs_is_waited_for(workflow: Workflow) -> None:
    paid = session_event("completed", workflow.sell(quantity=1))
    happen(workflow, paid)
    found: list[dict[str, Any]] = []
    workflow.meanwhile("RecordPayment", lambda: found.append(reconcile(workflow)))
    workflow.deliver(signed(paid, at=workflow.now))
    assert found == [NOTHING]


def test_every_page_is_looked_at(workflow: Workflow) -> None:
    workflow.stripe_api.page_size = 3
    for number in range(8):
        happen(workflow, session_event("completed", workflow.sell(purchase_id(number), quantity=1)))
    assert reconcile(workflow) == {**NOTHING, "missing": 8}
    assert len(workflow.queued()) == 8


def test_a_run_that_is_short_of_time_is_continued_by_the_next(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow.stripe_api.page_size = 3
    for number in range(8):
        happen(workflow, session_event("completed", workflow.sell(purchase_id(number), quantity=1)))
    left = iter([300_000, 300_000, 59_000])
    short = invocation()
    short.get_remaining_time_in_millis = lambda: next(left)  # type: ignore[method-assign]
    with monkeypatch.context() as patch:
        patch.setattr(lambda_runtime, "invocation", lambda _: short)
        interrupted = workflow.invoke("reconcile", {})
    assert (interrupted["listing"], interrupted["missing"]) == ("events", 6)
    workflow.now += 3600
    assert reconcile(workflow) == {**NOTHING, "missing": 2}


def test_a_run_looks_back_to_where_the_last_one_ended(workflow: Workflow) -> None:
    assert reconcile(workflow) == NOTHING
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    workflow.now += 5 * DAY_SECONDS
    assert reconcile(workflow) == {**NOTHING, "missing": 1}


def test_no_run_looks_back_further_than_stripe_remembers(workflow: Workflow) -> None:
    assert reconcile(workflow) == NOTHING
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    workflow.now += MEMORY_SECONDS
    assert reconcile(workflow) == NOTHING


def unheard(_workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    return charged(purchase)


def parked(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    workflow.fail("VerifyEvent", "KeyError")
    workflow.deliver(signed(session_event("completed", purchase)))
    return charged(purchase)


def interrupted(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    paid = session_event("completed", purchase)
    workflow.meanwhile("ClaimEvent", lambda: workflow.abort(paid["id"]), after_effect=True)
    workflow.deliver(signed(paid))
    assert (workflow.event_row(paid["id"])["state"], workflow.inventory()) == ("claimed", {})
    return charged(purchase)


def granted(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    workflow.deliver(signed(session_event("completed", purchase)))
    return charged(purchase)


def granted_and_not_paid(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    granted(workflow, purchase)
    return checkout_session(purchase, payment_status="unpaid", status="expired", payment_intent=None)


def refunded_unheard(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    granted(workflow, purchase)
    workflow.stripe_api.refunds[payment_intent_id(purchase)] = [refund(purchase)]
    return charged(purchase, amount_refunded=500)


def disputed(workflow: Workflow, purchase: Purchase) -> dict[str, Any]:
    granted(workflow, purchase)
    told = dispute_event("created", purchase)
    workflow.deliver(signed(told))
    workflow.stripe_api.disputes[payment_intent_id(purchase)] = [told["data"]["object"]]
    assert workflow.purchase().facts.held
    return charged(purchase, disputed=True)


@pytest.mark.parametrize(
    ("happened", "drift"),
    [
        (unheard, 1),
        (parked, 0),
        (interrupted, 1),
        (granted, 0),
        (granted_and_not_paid, 1),
        (refunded_unheard, 1),
        (disputed, 0),
    ],
)
def test_money_that_no_event_accounts_for_is_drift_once_it_is_old(
    workflow: Workflow, happened: Callable[[Workflow, Purchase], dict[str, Any]], drift: int
) -> None:
    session = happened(workflow, workflow.sell(quantity=1))
    workflow.stripe_api.checkouts.append(session)
    workflow.now += DRIFT_SECONDS
    assert reconcile(workflow) == NOTHING
    workflow.now += 1
    assert reconcile(workflow) == {**NOTHING, "drift": drift}
    assert workflow.queued() == []


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"metadata": {"purchase_id": purchase_id("nobody")}}, 1),
        ({"metadata": {}}, 0),
        ({"metadata": None}, 0),
        ({"mode": "subscription"}, 0),
    ],
)
def test_sessions_of_other_applications_are_not_ours_to_compare(
    workflow: Workflow, changed: dict[str, Any], drift: int
) -> None:
    workflow.stripe_api.checkouts.append(charged(workflow.sell(quantity=1)) | changed)
    workflow.now += DRIFT_SECONDS + 1
    assert reconcile(workflow) == {**NOTHING, "drift": drift}


def test_a_session_that_stripe_leaves_open_is_closed(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    still_open = checkout_session(purchase, payment_status="unpaid", status="open", payment_intent=None)
    workflow.stripe_api.checkouts.append(still_open)
    workflow.now = purchase.expires_at + OVERDUE_SECONDS
    assert reconcile(workflow) == NOTHING
    workflow.now += 1
    assert reconcile(workflow) == {**NOTHING, "overdue": 1}
    assert workflow.stripe_api.expired == [still_open["id"]]


def test_an_audit_repairs_what_is_lost_and_what_is_overdue(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of_the_workflow()
    monkeypatch.setattr(type(stage.adapters.stripe_records), "payments_changed", lambda *_: [])
    purchase = workflow.sell(quantity=1)
    still_open = checkout_session(purchase, payment_status="unpaid", status="open", payment_intent=None)
    workflow.stripe_api.checkouts.append(still_open)
    workflow.now = purchase.expires_at + OVERDUE_SECONDS
    lost = session_event("completed", workflow.sell(TAMAS_PURCHASE))
    happen(workflow, lost)
    audit = use_cases.audit(stage)
    report = audit(workflow.now - DAY_SECONDS, workflow.now, 0)
    assert (report.lost_events, report.open_sessions) == ([lost["id"]], [still_open["id"]])
    audit.repair(report)
    assert stage.adapters.events.unfinished([lost["id"]]) == [lost["id"]]
    deliver_queued(workflow)
    assert stage.adapters.events.unfinished([lost["id"]]) == []
    assert workflow.stripe_api.expired == [still_open["id"]]


@pytest.mark.parametrize(("settle_seconds", "explained"), [(0, False), (DAY_SECONDS, True)])
def test_an_audit_takes_what_is_young_for_explained(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, settle_seconds: int, *, explained: bool
) -> None:
    stage = stage_of_the_workflow()
    monkeypatch.setattr(type(stage.adapters.stripe_records), "payments_changed", lambda *_: [])
    workflow.stripe_api.checkouts.append(charged(workflow.sell(quantity=1)))
    workflow.now += 60
    report = use_cases.audit(stage)(workflow.now - 2 * DAY_SECONDS, workflow.now, settle_seconds)
    assert [(one.kind, one.explained) for one in report.findings] == [("money", explained)]


def test_each_run_tells_cloudwatch_what_it_found(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    happen(workflow, session_event("completed", workflow.sell(quantity=1)))
    reconcile(workflow)
    told = capsys.readouterr().out
    assert '"ReconcileMissing":[1.0]' in told
    assert '"ReconcileDrift":[0.0]' in told


def test_it_is_called_every_hour() -> None:
    (schedule,) = template.functions()["reconcile"].events.values()
    assert schedule["Properties"]["Schedule"] == "rate(1 hour)"
