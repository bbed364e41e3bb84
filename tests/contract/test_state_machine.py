"""The workflow names only what exists, outwaits its functions, and ends within its own time."""

from typing import Any

import pytest
import yaml

from nyanko.adapters.dynamodb_events import EVENT_IS_NOT_FINISHED
from nyanko.errors import BadInput, NotOurs, Permanent, Retryable
from tests import template
from tests.template import ROOT, Function
from tests.workflow.calls import allows

ASL: dict[str, Any] = template.definition("PaymentStateMachine")
STATES: dict[str, Any] = ASL["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
BY_ARN = {template.arn(function.logical_id): function for function in template.functions().values()}
INVOKING: dict[str, Function] = {
    name: BY_ARN[state["Parameters"]["FunctionName"].removesuffix(":live")]
    for name, state in TASKS.items()
    if state["Resource"].endswith(":lambda:invoke")
}
WRITING = {name: state for name, state in TASKS.items() if state["Resource"].endswith(":dynamodb:putItem")}
POLICIES = template.statements(template.RESOURCES["PaymentStateMachine"]["Properties"])

OURS = {error.__name__ for error in (BadInput, NotOurs, Permanent, Retryable)}
LAMBDA_ERRORS = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.Unknown",
    "Sandbox.Timedout",
}
"""Lambda fails like this by itself, whatever the function does
(https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html). The
two that begin with Runtime are an environment that ended, the second one before it was ready
(https://github.com/aws/aws-lambda-go/issues/535)."""

STATES_ERRORS = {"States.ALL", "States.TaskFailed", "States.Timeout"}
INTEGRATION_ERRORS = {"DynamoDB.ConditionalCheckFailedException"}


def error_names(state: dict[str, Any]) -> set[str]:
    handlers = [*state.get("Retry", []), *state.get("Catch", [])]
    return {error for handler in handlers for error in handler["ErrorEquals"]}


@pytest.mark.parametrize("name", TASKS)
def test_every_error_that_is_handled_exists(name: str) -> None:
    known = OURS | LAMBDA_ERRORS | STATES_ERRORS | INTEGRATION_ERRORS
    assert error_names(TASKS[name]) <= known


@pytest.mark.parametrize("name", INVOKING)
def test_a_function_is_tried_again_after_every_error_that_may_pass(name: str) -> None:
    retried = [error for retry in TASKS[name]["Retry"] for error in retry["ErrorEquals"]]
    assert sorted(retried) == sorted({"Retryable", "States.Timeout", *LAMBDA_ERRORS})


def test_all_functions_are_tried_again_in_the_same_way() -> None:
    """But for the one that notifies: the items are granted, and the notice is not worth three minutes."""
    retries = {name: TASKS[name]["Retry"] for name in INVOKING}
    (notifying,) = retries.pop("NotifyPlayer")
    assert notifying["MaxAttempts"] == 3
    first, *others = retries.values()
    assert all(retry == first for retry in others)
    assert [retry["MaxAttempts"] for retry in first] == [30, 8]


@pytest.mark.parametrize("name", [name for name in TASKS if name != "NotifyPlayer"])
def test_whoever_is_throttled_waits_for_most_of_an_hour(name: str) -> None:
    """With full jitter half of the longest wait. So long Lambda, DynamoDB and Stripe may take to let through
    what a burst has brought: docs/scale.md."""
    throttled = "Retryable" if name in INVOKING else "States.TaskFailed"
    (retry,) = [each for each in TASKS[name]["Retry"] if throttled in each["ErrorEquals"]]
    if name in INVOKING:
        assert "Lambda.TooManyRequestsException" in retry["ErrorEquals"]
    assert sum(waits(retry)) / 2 > 55 * 60


def test_an_execution_has_a_day_since_its_clock_runs_while_transitions_are_throttled() -> None:
    assert ASL["TimeoutSeconds"] == 24 * 3600


@pytest.mark.parametrize("name", [name for name in TASKS if name != "DeadLetter"])
def test_whatever_a_task_ends_with_is_caught(name: str) -> None:
    last = TASKS[name]["Catch"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    expected = {"NotifyPlayer": "NotNotified", "ParkEvent": "DeadLetter"}
    assert last["Next"] == expected.get(name, "ParkEvent")


def test_folders_and_states_are_the_same_words() -> None:
    for name, function in INVOKING.items():
        assert function.logical_id == f"{name}Function"


def test_the_machine_may_invoke_the_functions_of_its_states_and_no_others() -> None:
    (invoke,) = [each for each in POLICIES if "lambda:InvokeFunction" in each["Action"]]
    called = [TASKS[name]["Parameters"]["FunctionName"] for name in INVOKING]
    assert sorted(invoke["Resource"]) == sorted(called)


@pytest.mark.parametrize("name", WRITING)
def test_the_machine_may_write_the_rows_of_its_states(name: str) -> None:
    table = TASKS[name]["Parameters"]["TableName"]
    row = f"arn:aws:dynamodb:{template.REGION}:{template.ACCOUNT}:table/{table}"
    assert any(allows(each, "dynamodb:PutItem", row) for each in POLICIES)


def test_the_machine_may_send_its_dead_letters() -> None:
    queue = template.arn("PaymentEventsDlq")
    assert TASKS["DeadLetter"]["Parameters"]["QueueUrl"] == template.resolved({"Ref": "PaymentEventsDlq"})
    assert any(allows(each, "sqs:SendMessage", queue) for each in POLICIES)


def test_every_substitution_is_used_and_none_is_missing() -> None:
    text = (ROOT / "statemachines" / "payment.asl.yaml").read_text()
    given = template.RESOURCES["PaymentStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert all(f"${{{name}}}" in text for name in given)
    assert "${" not in yaml.safe_dump(ASL)


@pytest.mark.parametrize("name", INVOKING)
def test_a_state_waits_longer_than_its_function_may_take(name: str) -> None:
    assert TASKS[name]["TimeoutSeconds"] > INVOKING[name].timeout


@pytest.mark.parametrize("name", TASKS)
def test_no_task_waits_for_ever(name: str) -> None:
    assert TASKS[name]["TimeoutSeconds"] <= 60


def test_an_execution_in_which_all_goes_wrong_still_ends_within_its_own_time() -> None:
    """Its parking would be lost otherwise."""
    assert sum(longest(state) for state in TASKS.values()) < ASL["TimeoutSeconds"]


def longest(state: dict[str, Any]) -> float:
    """The seconds that a state takes whose every attempt takes all its time, after the longest waits."""
    retries = [each for each in state["Retry"] if each["MaxAttempts"]]
    attempts = 1 + sum(retry["MaxAttempts"] for retry in retries)
    return float(state["TimeoutSeconds"] * attempts + sum(sum(waits(retry)) for retry in retries))


def waits(retry: dict[str, Any]) -> list[float]:
    """The longest wait before each attempt."""
    return [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
        for attempt in range(retry["MaxAttempts"])
    ]


@pytest.mark.parametrize("name", WRITING)
def test_an_event_is_finished_under_the_condition_that_the_code_has_too(name: str) -> None:
    parameters = TASKS[name]["Parameters"]
    assert parameters["ConditionExpression"] == EVENT_IS_NOT_FINISHED
    assert parameters["ExpressionAttributeNames"] == {"#state": "state"}
    assert parameters["ExpressionAttributeValues"] == {
        ":applied": {"S": "applied"},
        ":ignored": {"S": "ignored"},
    }
