"""What happens between a read and its write, and how it ends all the same."""

from dataclasses import replace

from nyanko.composition.function import adapters
from nyanko.facts import Facts
from nyanko.grants import converge
from tests.stripe_events import refund_event, session_event, signed
from tests.workflow.engine import Workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}
NOTHING = dict.fromkeys(ONE_PACK, 0)


def test_a_refund_that_overtakes_a_grant_is_not_undone_by_it(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    refund = signed(refund_event("created", purchase))
    # The refund's execution ends before the grant writes what it read before: nothing would come after it.
    workflow.meanwhile_call("grant_items", "TransactWriteItems", lambda: workflow.deliver(refund))
    workflow.deliver(signed(session_event("completed", purchase)))
    assert workflow.purchase().granted == 0
    assert {item_id: workflow.inventory().get(item_id, 0) for item_id in ONE_PACK} == NOTHING
    assert workflow.inventory() == workflow.ledger()


def test_what_an_event_gave_and_took_back_in_two_attempts_is_nothing(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    paid = signed(session_event("completed", purchase))
    workflow.deliver(paid)
    assert adapters().grants.items_of(paid["event_id"], purchase) == ONE_PACK
    unpaid = replace(workflow.purchase(), facts=Facts())
    taken_back = converge(unpaid, workflow.now)
    assert adapters().grants.apply(taken_back, paid["event_id"], "a_later_attempt", workflow.now)
    assert adapters().grants.items_of(paid["event_id"], purchase) == {}


def test_a_refund_recorded_beside_a_payment_is_not_forgotten(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    refund = signed(refund_event("created", purchase))
    workflow.stripe_api.sessions["pi_mike"] = [
        {"id": "cs_test_mike", "mode": "payment", "metadata": {"purchase_id": purchase.purchase_id}}
    ]
    workflow.meanwhile_call("record_payment", "UpdateItem", lambda: workflow.deliver(refund))
    workflow.deliver(signed(session_event("completed", purchase)))
    assert workflow.purchase().facts.refunded == purchase.amount
    assert workflow.purchase().granted == 0
    assert workflow.inventory() == workflow.ledger()


def test_two_executions_of_one_event_side_by_side_grant_once(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    paid = signed(session_event("completed", purchase))
    workflow.meanwhile_call(
        "grant_items", "TransactWriteItems", lambda: workflow.start(paid, f"{paid['event_id']}-r1")
    )
    workflow.deliver(paid)
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_a_grant_whose_answer_is_lost_was_made_as_a_whole(workflow: Workflow) -> None:
    workflow.fail_call("grant_items", "TransactWriteItems", "InternalServerError", after_effect=True)
    workflow.deliver(signed(session_event("completed", workflow.sell(quantity=1))))
    assert workflow.purchase().granted == 1
    assert workflow.inventory() == workflow.ledger() == ONE_PACK
