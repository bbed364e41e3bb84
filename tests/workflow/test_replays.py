"""Duplicates, crashes and replays by their names, states and waits.

That paid means granted, once, whatever order they come in, is what tests/walk/ looks for.
"""

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from nyanko.composition.function import adapters
from nyanko.deliveries import Delivery
from tests.data import TAMAS_PURCHASE
from tests.invocation import invocation
from tests.stripe_events import dispute_event, refund_event, session_event, signed
from tests.workflow import lambda_runtime
from tests.workflow.engine import Workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}


def paid(workflow: Workflow) -> Delivery:
    return signed(session_event("completed", workflow.sell(quantity=1)))


def received_again(delivery: Delivery, later: int) -> Delivery:
    return {**delivery, "received_at": delivery["received_at"] + later}


def test_the_same_event_delivered_twice_grants_once(workflow: Workflow) -> None:
    delivery = paid(workflow)
    first = workflow.deliver(delivery)
    assert workflow.deliver(received_again(delivery, 60)) == first
    assert len(workflow.executions(delivery["event_id"])) == 1
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_an_execution_that_still_runs_is_not_replayed(workflow: Workflow) -> None:
    delivery = paid(workflow)
    workflow.meanwhile("GrantItems", lambda: workflow.receive(received_again(delivery, 60)))
    workflow.deliver(delivery)
    assert [execution.name for execution in workflow.executions(delivery["event_id"])] == [
        delivery["event_id"]
    ]
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


@pytest.mark.parametrize("state", ["VerifyEvent", "ClaimEvent", "RecordPayment", "GrantItems"])
def test_a_failed_execution_is_replayed_under_a_name_of_its_own(workflow: Workflow, state: str) -> None:
    delivery = paid(workflow)
    workflow.timeout(state, times=31 if state == "ClaimEvent" else 9)
    assert workflow.deliver(delivery).status == "FAILED"
    replay = workflow.deliver(delivery)
    assert (replay.name, replay.status) == (f"{delivery['event_id']}-r1", "SUCCEEDED")
    row = workflow.event_row(delivery["event_id"])
    assert (row["state"], row["execution"]) == ("applied", replay.name)
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_each_replay_that_fails_makes_room_for_another(workflow: Workflow) -> None:
    delivery = paid(workflow)
    workflow.fail("RecordPayment", "KeyError", times=3)
    for _ in range(4):
        workflow.deliver(delivery)
    executions = workflow.executions(delivery["event_id"])
    assert [
        (execution.name.removeprefix(delivery["event_id"]), execution.status) for execution in executions
    ] == [
        ("", "FAILED"),
        ("-r1", "FAILED"),
        ("-r2", "FAILED"),
        ("-r3", "SUCCEEDED"),
    ]
    assert len(workflow.dead_letters()) == 3
    assert workflow.deliver(delivery) == executions[-1], "what was granted is not replayed"
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_an_execution_that_died_after_the_claim_does_not_take_the_purchase_with_it(
    workflow: Workflow,
) -> None:
    delivery = paid(workflow)
    workflow.meanwhile("ClaimEvent", lambda: workflow.abort(delivery["event_id"]), after_effect=True)
    died = workflow.deliver(delivery)
    assert (died.status, died.states[-1]) == ("ABORTED", "ClaimEvent")
    assert workflow.event_row(delivery["event_id"])["state"] == "claimed"
    assert workflow.inventory() == {}
    assert workflow.receive(delivery) == [0], "it may still run"
    replay = workflow.deliver(delivery, times=2)
    assert (replay.name, replay.status) == (f"{delivery['event_id']}-r1", "SUCCEEDED")
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


@pytest.mark.parametrize(("races", "waits"), [(1, []), (2, ["GrantItems"])])
def test_a_grant_that_loses_two_races_waits_before_a_third(
    workflow: Workflow, races: int, waits: list[str]
) -> None:
    purchase = workflow.sell(quantity=1)

    def change() -> None:
        adapters().purchases.record(workflow.purchase(), workflow.purchase().facts, workflow.now)

    for _ in range(races):
        workflow.meanwhile_call("grant_items", "TransactWriteItems", change)
    assert workflow.deliver(signed(session_event("completed", purchase))).status == "SUCCEEDED"
    assert [waited.state for waited in workflow.backoff] == waits
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_facts_that_are_recorded_side_by_side_are_both_kept(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    workflow.deliver(signed(session_event("completed", purchase)))
    second = signed(dispute_event("created", purchase))
    workflow.meanwhile_call("record_payment", "UpdateItem", lambda: workflow.start(second))
    workflow.deliver(signed(refund_event("created", purchase, amount=100)))
    assert [waited.state for waited in workflow.backoff] == ["RecordPayment"]
    facts = workflow.purchase().facts
    assert (facts.refunded, facts.held) == (100, 500)
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 0, "toy_mouse": 0}


def test_a_message_that_fails_goes_back_to_the_queue_without_its_neighbours(workflow: Workflow) -> None:
    delivery = paid(workflow)
    assert workflow.receive({"not": "a delivery"}, delivery) == [0]
    assert workflow.executions(delivery["event_id"])[0].status == "SUCCEEDED"


def test_a_duplicate_of_a_finished_event_does_not_ask_step_functions_how_it_ended(workflow: Workflow) -> None:
    """DescribeExecution has the smallest of all quotas: a flood of duplicates must not queue for it."""
    delivery = paid(workflow)
    workflow.deliver(delivery)
    workflow.receive(*[received_again(delivery, later) for later in range(1, 10)])
    asked = {action for action, _ in workflow.calls.used["start_payment"]}
    assert asked == {"states:StartExecution", "dynamodb:GetItem"}
    assert len(workflow.executions(delivery["event_id"])) == 1


def test_what_there_is_no_time_for_goes_back_to_the_queue_untried(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = workflow.sell(TAMAS_PURCHASE, quantity=1)
    first, second = paid(workflow), signed(session_event("completed", other))
    milliseconds = iter([20_000, 19_999])

    def ending(seconds_left: float) -> LambdaContext:
        context = invocation(seconds_left)
        if seconds_left == lambda_runtime.FUNCTIONS["start_payment"].timeout:
            context.get_remaining_time_in_millis = lambda: next(milliseconds)  # type: ignore[method-assign]
        return context

    monkeypatch.setattr(lambda_runtime, "invocation", ending)
    assert workflow.receive(first, second) == [1]
    assert workflow.executions(first["event_id"])[0].status == "SUCCEEDED"
    assert workflow.executions(second["event_id"]) == []


def test_an_execution_whose_start_was_not_confirmed_is_not_started_twice(workflow: Workflow) -> None:
    delivery = paid(workflow)
    workflow.fail_call("start_payment", "StartExecution", "InternalServerError", after_effect=True)
    assert workflow.receive(delivery) == [0]
    assert workflow.receive(delivery) == []
    assert len(workflow.executions(delivery["event_id"])) == 1
    assert workflow.inventory() == workflow.ledger() == ONE_PACK


def test_a_copy_beside_an_execution_that_is_parking_its_event_comes_back_once(workflow: Workflow) -> None:
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))
    copy: Delivery = {**delivery, "received_at": delivery["received_at"] + 60}
    given_back: list[list[int]] = []
    workflow.fail("RecordPayment", "KeyError")
    workflow.meanwhile_call("park_event", "SendMessage", lambda: given_back.append(workflow.receive(copy)))
    workflow.deliver(delivery)
    assert given_back == [[0]]
    assert workflow.deliver(copy, times=2).status == "SUCCEEDED"
