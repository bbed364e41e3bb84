"""Every Retry and every Catch of every state, and how long is waited between the attempts."""

from typing import Any

import pytest

from nyanko.deliveries import Delivery
from tests import template
from tests.stripe_events import event, session_event, signed
from tests.workflow.engine import Workflow

STATES: dict[str, Any] = template.definition("PaymentStateMachine")["States"]
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]
FUNCTIONS = [name for name in TASKS if "Payload" in str(STATES[name]["Parameters"])]
INTEGRATIONS = {
    "ClaimEvent": "DynamoDB.AmazonDynamoDBException",
    "IgnoreEvent": "DynamoDB.AmazonDynamoDBException",
    "DeadLetter": "SQS.AmazonSQSException",
}
"""States that call AWS themselves, each with an error of that service."""

TRANSIENT = [(name, "States.TaskFailed", error) for name, error in INTEGRATIONS.items()]
TRANSIENT += [(name, "States.Timeout", "States.Timeout") for name in INTEGRATIONS]
TRANSIENT += [
    (name, error, error)
    for name in FUNCTIONS
    for retrier in STATES[name]["Retry"]
    for error in retrier["ErrorEquals"]
]


def test_every_task_is_tried_here() -> None:
    assert sorted(TASKS) == sorted([*FUNCTIONS, *INTEGRATIONS])
    assert len(FUNCTIONS) == 5


def delivery_through(workflow: Workflow, state: str) -> Delivery:
    """A delivery whose execution passes the state, on the shortest way."""
    if state == "IgnoreEvent":
        return signed(event("customer.created", {"id": "cus_tama", "object": "customer"}))
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))
    if state in {"ParkEvent", "DeadLetter"}:
        workflow.fail("RecordPayment", "KeyError")
    if state == "DeadLetter":
        workflow.fail("ParkEvent", "KeyError")
    return delivery


def retrier(state: str, matching: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in STATES[state]["Retry"] if matching in each["ErrorEquals"])
    return found


def limits(retry: dict[str, Any]) -> list[float]:
    """The longest wait before each retry, as Step Functions' documentation computes it."""
    return [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
        for attempt in range(retry["MaxAttempts"])
    ]


@pytest.mark.parametrize(("state", "matching", "error"), TRANSIENT)
def test_a_transient_error_is_retried_and_leaves_no_trace(
    workflow: Workflow, state: str, matching: str, error: str
) -> None:
    delivery = delivery_through(workflow, state)
    workflow.fail(state, error)
    execution = workflow.deliver(delivery)
    ends_as = "FAILED" if state in {"ParkEvent", "DeadLetter"} else "SUCCEEDED"
    assert (execution.status, execution.states.count(state)) == (ends_as, 1)
    (waited,) = workflow.backoff
    assert (waited.state, waited.limit) == (state, retrier(state, matching)["IntervalSeconds"])


@pytest.mark.parametrize("state", TASKS)
def test_the_waits_grow_up_to_a_cap_with_jitter_and_then_it_gives_up(workflow: Workflow, state: str) -> None:
    error = INTEGRATIONS.get(state, "Lambda.TooManyRequestsException")
    retry = retrier(state, "States.TaskFailed" if state in INTEGRATIONS else error)
    delivery = delivery_through(workflow, state)
    workflow.fail(state, error, times=retry["MaxAttempts"] + 1)
    execution = workflow.deliver(delivery)
    assert [waited.limit for waited in workflow.backoff] == limits(retry)
    assert all(waited.state == state for waited in workflow.backoff)
    assert all(0 <= waited.slept <= waited.limit for waited in workflow.backoff)
    assert any(waited.slept != waited.limit for waited in workflow.backoff), (
        "executions must not wait in step"
    )
    assert max(limits(retry)) <= 300
    gave_up = execution.states[execution.states.index(state) + 1 :]
    assert gave_up == {
        "NotifyPlayer": ["NotNotified"],
        "ParkEvent": ["DeadLetter", "Parked"],
        "DeadLetter": [],
    }.get(state, ["ParkEvent", "Parked"])


@pytest.mark.parametrize(
    ("state", "caught_by", "status"),
    [
        ("VerifyEvent", ["ParkEvent", "Parked"], "FAILED"),
        ("RecordPayment", ["ParkEvent", "Parked"], "FAILED"),
        ("GrantItems", ["ParkEvent", "Parked"], "FAILED"),
        ("NotifyPlayer", ["NotNotified"], "SUCCEEDED"),
        ("ParkEvent", ["DeadLetter", "Parked"], "FAILED"),
    ],
)
@pytest.mark.parametrize("error", ["Permanent", "BadInput", "KeyError", "Runtime.ImportModuleError"])
def test_what_trying_again_would_not_change_is_caught_at_once(
    workflow: Workflow, state: str, caught_by: list[str], status: str, error: str
) -> None:
    delivery = delivery_through(workflow, state)
    workflow.fail(state, error)
    execution = workflow.deliver(delivery)
    assert workflow.backoff == []
    assert execution.status == status
    assert execution.states[execution.states.index(state) + 1 :] == caught_by


def test_a_claim_that_another_execution_finished_meanwhile_is_a_duplicate(workflow: Workflow) -> None:
    delivery = delivery_through(workflow, "ClaimEvent")
    workflow.fail("RecordPayment", "KeyError")
    workflow.deliver(delivery)
    workflow.dead_letters()
    # Two replays side by side: the second one runs to its end while the first one is about to claim.
    workflow.meanwhile("ClaimEvent", lambda: workflow.start(delivery, "a_replay_beside"))
    first = workflow.deliver(delivery)
    assert (first.status, first.states) == ("SUCCEEDED", ["VerifyEvent", "ClaimEvent", "Duplicate"])
    assert workflow.backoff == []
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 10, "toy_mouse": 1}


def test_an_ignored_event_that_another_execution_ignored_meanwhile_is_a_duplicate(workflow: Workflow) -> None:
    delivery = delivery_through(workflow, "IgnoreEvent")
    workflow.meanwhile("IgnoreEvent", lambda: workflow.start(delivery, "a_replay_beside"))
    execution = workflow.deliver(delivery)
    assert execution.states == ["VerifyEvent", "IgnoreEvent", "Duplicate"]
    assert execution.status == "SUCCEEDED"
