"""A purchase has one payment, that of the session that we opened: another one is parked and named, never
merged."""

import pytest

from nyanko.composition.function import adapters
from nyanko.reconciliation import DRIFT_SECONDS
from ops import use_cases
from tests.data import MIKES_PURCHASE, purchase_id
from tests.stripe_events import Event, checkout_session, dispute_event, refund_event, session_event, signed
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}
OTHER = {"id": "cs_test_other", "payment_intent": "pi_other"}


@pytest.fixture
def paid(workflow: Workflow) -> Event:
    """Mike has paid, in the session that we opened."""
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.deliver(signed(event))
    return event


def paid_again(workflow: Workflow) -> Event:
    event = session_event("completed", workflow.purchase(), **OTHER) | {"id": "evt_paid_again"}
    workflow.deliver(signed(event))
    return event


def test_a_second_session_that_is_paid_is_parked_and_grants_nothing_more(
    workflow: Workflow, paid: Event
) -> None:
    before = workflow.purchase()
    again = paid_again(workflow)
    row = workflow.event_row(again["id"])
    assert (row["state"], row["parked_reason"]) == ("parked", "OtherSession")
    assert "cs_test_mike" in row["cause"]
    assert "cs_test_other" in row["cause"]
    assert workflow.purchase() == before
    assert workflow.inventory() == ONE_PACK
    assert paid["data"]["object"]["id"] == before.session_id


@pytest.mark.parametrize("tell", [refund_event, dispute_event])
def test_refunds_and_disputes_of_the_other_payment_take_nothing(
    workflow: Workflow, paid: Event, tell: type
) -> None:
    workflow.stripe_api.sessions["pi_other"] = [checkout_session(workflow.purchase(), **OTHER)]
    told = tell("created", workflow.purchase(), payment_intent="pi_other", charge="ch_other")
    workflow.deliver(signed(told))
    assert workflow.event_row(told["id"])["state"] == "ignored"
    assert workflow.inventory() == ONE_PACK
    assert paid["id"] != told["id"]


def test_a_row_that_a_crash_left_without_a_session_takes_the_one_that_is_told(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    assert purchase.session_id is None
    workflow.deliver(signed(session_event("completed", purchase)))
    assert workflow.purchase().session_id == "cs_test_mike"
    expired = session_event("expired", purchase, payment_status="unpaid", **OTHER)
    workflow.deliver(signed(expired))
    assert workflow.event_row(expired["id"])["parked_reason"] == "OtherSession"


@pytest.mark.parametrize("foreign", ["48213", "pur_mike", f"{MIKES_PURCHASE}0"])
def test_the_purchase_id_of_another_program_is_ignored(workflow: Workflow, foreign: str) -> None:
    event = session_event("completed", workflow.sell(quantity=1), metadata={"purchase_id": foreign})
    workflow.deliver(signed(event))
    assert workflow.event_row(event["id"])["state"] == "ignored"
    assert workflow.dead_letters() == []


def test_reconciliation_names_money_that_was_paid_twice(workflow: Workflow, paid: Event) -> None:
    own = checkout_session(workflow.purchase(), payment_intent=None)
    other = checkout_session(workflow.purchase(), **(OTHER | {"payment_intent": None}))
    workflow.stripe_api.checkouts += [own, other]
    workflow.now += DRIFT_SECONDS + 1
    found = workflow.invoke("reconcile", {})
    assert (found["listing"], found["drift"]) == ("done", 1)
    assert paid["id"]


def test_what_is_parked_of_another_session_explains_nothing_of_the_purchases_own(
    workflow: Workflow, paid: Event
) -> None:
    paid_again(workflow)
    own = checkout_session(workflow.purchase(), payment_intent=None, amount_total=1500)
    workflow.stripe_api.checkouts.append(own)
    workflow.now += DRIFT_SECONDS + 1
    assert workflow.invoke("reconcile", {})["drift"] == 1
    assert paid["id"]


def test_an_audit_names_money_that_was_paid_twice_beside_the_purchase_that_is_right(
    workflow: Workflow, paid: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = checkout_session(workflow.purchase(), payment_intent=None)
    other = checkout_session(workflow.purchase(), **(OTHER | {"payment_intent": None}))
    foreign = checkout_session(workflow.purchase(), id="cs_foreign", metadata={"purchase_id": "48213"})
    workflow.stripe_api.checkouts += [own, other, foreign]
    stage = stage_of_the_workflow()
    monkeypatch.setattr(type(stage.adapters.stripe_records), "payments_changed", lambda *_: [])
    report = use_cases.audit(stage)(workflow.now - 3600, workflow.now + 60, 0)
    money = [finding for finding in report.findings if finding.kind == "money"]
    assert [(one.about, one.explained) for one in money] == [(MIKES_PURCHASE, False)]
    assert "500 were paid again, by cs_test_other beside cs_test_mike" in money[0].text
    assert (report.sheet.paid_yen, report.sheet.granted_yen, report.sheet.unexplained_yen) == (1000, 500, 500)
    assert paid["id"]


def test_a_purchase_that_a_page_names_twice_is_asked_for_once(workflow: Workflow) -> None:
    workflow.sell(quantity=1)
    ids = [MIKES_PURCHASE, MIKES_PURCHASE, purchase_id("nobody")]
    found = adapters().purchases.get_many(ids * 60)
    assert [one.purchase_id for one in found] == [MIKES_PURCHASE]
