"""The walk's interpreter of the States Language does what moto's does, on every path of the shipped workflow.

Both run a definition with tasks that fail and answer alike. They must enter the same states, ask the same of
each task, wait as long before each retry, and end in the same way.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unittest.mock import Mock

import pytest
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from tests import template
from tests.data import EVENT_ID, SAMPLES
from tests.walk import states
from tests.walk.states import Ended, TaskFailed
from tests.workflow import interpreter

ASL: dict[str, Any] = template.definition("PaymentStateMachine")
STATES: dict[str, Any] = ASL["States"]
DELIVERY: dict[str, Any] = SAMPLES["verify_event"]["delivery"]
VERIFIED = {**SAMPLES["record_payment"], **DELIVERY, "created": DELIVERY["received_at"], "type": "a.type"}
A, B, TIMEOUT, UNNAMED = "A", "B", "States.Timeout", "AnErrorThatNoRuleNames"

Faults = Mapping[str, list[str]]
"""The errors that a state's first attempts fail with, in order."""


@dataclass
class Told:
    """What is seen of an execution: state, resource and parameters of attempts, state and time of waits."""

    entered: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)
    ended: Any = None


def caught(error: str) -> dict[str, str]:
    """Only a timeout has no cause."""
    return {"Error": error, "Cause": "" if error == TIMEOUT else f"ねこ: {error}"}


def result(state: str) -> dict[str, Any]:
    """Return the same for each task but for its name, in the form of a function's result."""
    return {"Payload": {**VERIFIED, "by": state}, "StatusCode": 200}


def tasks(faults: Faults, failed: Callable[[str, str], Exception]) -> Callable[..., Any]:
    left = {state: deque(errors) for state, errors in faults.items()}

    def answer(state: str, *_parameters: Any) -> Any:
        if left.get(state):
            raise failed(*caught(left[state].popleft()).values())
        return result(state)

    return answer


def draw(low: float, high: float) -> float:
    return low + (high - low) / 4


def run_ours(definition: Mapping[str, Any], given: Any, answer: Callable[[str, Any], Any]) -> Told:
    told = Told()

    def perform(state: str, resource: str, parameters: Any) -> Any:
        told.asked.append((state, resource, parameters))
        return answer(state, parameters)

    def wait(seconds: float) -> None:
        told.waits.append((told.entered[-1], seconds))

    enter = told.entered.append
    told.ended = states.run(definition, given, EVENT_ID, perform=perform, wait=wait, draw=draw, enter=enter)
    return told


def run_both(mp: pytest.MonkeyPatch, definition: Mapping[str, Any], given: Any, faults: Faults) -> Told:
    """Return what moto's interpreter tells, after ours told the same."""
    moto = interpreter.Interpreter(invoke=lambda *_: ("no function is invoked", True))
    moto.control(mp)
    mp.setattr(interpreter, "uniform", draw)
    answer = tasks(faults, interpreter.Fault)
    for service in interpreter.SERVICES:
        mp.setattr(service, "_eval_service_task", lambda by, env, **_: env.stack.append(answer(by.name)))
    backend = StepFunctionsParserBackend(template.REGION, template.ACCOUNT)
    role = f"arn:aws:iam::{template.ACCOUNT}:role/one"
    machine = backend.create_state_machine("one", json.dumps(definition), role)
    execution: Any = backend.start_execution(machine.arn, EVENT_ID, json.dumps(given))
    told = Told(waits=[(one.state, one.slept) for one in moto.backoff])
    told.ended = Ended(execution.status, execution.output, execution.error, execution.cause)
    for happened in execution.to_history_output()["events"]:
        match happened:
            case {"stateEnteredEventDetails": entered}:
                told.entered.append(entered["name"])
            case {"taskScheduledEventDetails": task}:
                resource = f"arn:aws:states:::{task['resourceType']}:{task['resource']}"
                told.asked.append((told.entered[-1], resource, json.loads(task["parameters"])))
    assert run_ours(definition, given, tasks(faults, TaskFailed)) == told
    return told


# ─── The shipped workflow ───────────────────────────────────────────────────────────────────────────────────


def rule(kind: str, state: str, error: str) -> Mapping[str, Any]:
    """The retrier or catcher that decides; without one, nothing is retried and the execution ends."""
    names = {error, "States.ALL", "States.ALL" if error == TIMEOUT else "States.TaskFailed"}
    rules = STATES[state].get(kind, [])
    return next((each for each in rules if names & {*each["ErrorEquals"]}), {"MaxAttempts": 0})


def through(state: str) -> Iterator[tuple[list[str], str | None]]:
    """The errors of a task's attempts, and what follows: none, each error once, and until it gives up."""
    yield [], STATES[state].get("Next")
    rules = [*STATES[state]["Retry"], *STATES[state].get("Catch", [])]
    named = dict.fromkeys(error for each in rules for error in each["ErrorEquals"])
    for error in [*(name for name in named if name not in ("States.ALL", "States.TaskFailed")), UNNAMED]:
        retries = rule("Retry", state, error)["MaxAttempts"]
        if retries:
            yield [error], STATES[state].get("Next")
        yield [error] * (retries + 1), rule("Catch", state, error).get("Next")


def paths() -> Iterator[tuple[Faults, str, str | None]]:
    """The faults that lead through a task, by a shortest way to it, the task, and the state that follows."""
    ways: dict[str | None, Faults] = {ASL["StartAt"]: {}}
    coming = deque([ASL["StartAt"]])
    while coming:
        state = coming.popleft()
        for errors, after in through(state) if STATES[state]["Type"] == "Task" else ():
            faults = {**ways[state], state: errors}
            yield faults, state, after
            if after and after not in ways:
                ways[after] = faults
                coming.append(after)


PATHS = list(paths())
NAMES = [f"{state} fails {len(faults[state])}x {faults[state][:1]}" for faults, state, _ in PATHS]


@pytest.mark.parametrize(("faults", "state", "after"), PATHS, ids=NAMES)
def test_every_path_of_the_workflow_is_the_same_in_both(
    monkeypatch: pytest.MonkeyPatch, faults: Faults, state: str, after: str | None
) -> None:
    told = run_both(monkeypatch, ASL, DELIVERY, faults)
    assert (state, after) in pairwise([*told.entered, None])


def test_the_paths_take_every_edge_of_the_workflow() -> None:
    rules = [(name, each) for name, state in STATES.items() for each in [state, *state.get("Catch", [])]]
    edges = {(name, each["Next"]) for name, each in rules if "Next" in each}
    assert {(state, after) for _, state, after in PATHS if after} == edges


# ─── One rule at a time ─────────────────────────────────────────────────────────────────────────────────────

GIVEN = {"cat": {"name": "ミケ", "toys": ["mouse"]}, "kept": None}
RESULT = result("First")
ALL, FAILED = {"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["States.TaskFailed"]}
CATCH, CATCH_FAILED = {**ALL, "Next": "Second"}, {**FAILED, "Next": "Second"}
CATCH_TO_B = {**CATCH, "ResultPath": "$.b"}
SELECTING = {"ResultSelector": {"a.$": "$.Payload.by"}}
A_ONCE, NEVER_A = ({"ErrorEquals": [A], "MaxAttempts": attempts} for attempts in (1, 0))


def two_tasks(**fields: Any) -> dict[str, Any]:
    """A machine whose first task has the fields; the second one is asked what it was given."""
    parameters = {"FunctionName": "one", "Payload.$": "$"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    second = {**task, "End": True}
    return {"StartAt": "First", "States": {"First": {**task, "Next": "Second", **fields}, "Second": second}}


@pytest.mark.parametrize(
    ("failures", "fields", "outcome"),
    [
        ([], {}, RESULT),
        ([], {"ResultPath": None}, GIVEN),
        ([], {"ResultPath": "$.cat"}, {**GIVEN, "cat": RESULT}),
        ([], {"ResultSelector": {"a": [{"b.$": "$.StatusCode"}, 1, "$.b"]}}, {"a": [{"b": 200}, 1, "$.b"]}),
        ([], {**SELECTING, "ResultPath": "$.b"}, {**GIVEN, "b": {"a": "First"}}),
        ([], {"ResultSelector": {"a.$": "States.Format('{}, {}.', $.Payload.by, -1)"}}, {"a": "First, -1."}),
        ([], {"ResultPath": None, "OutputPath": "$.kept"}, None),
        ([], {"ResultPath": "$.told", "OutputPath": "$.told.StatusCode"}, 200),
        ([A], {"Catch": [CATCH], "ResultPath": None, "OutputPath": "$.cat"}, caught(A)),
        ([A], {"Catch": [CATCH_TO_B]}, {**GIVEN, "b": caught(A)}),
        ([A], {"Catch": [CATCH_FAILED, CATCH_TO_B]}, caught(A)),
        ([TIMEOUT], {"Catch": [CATCH_FAILED, CATCH_TO_B]}, {**GIVEN, "b": caught(TIMEOUT)}),
        ([A, B], {"Catch": [CATCH], "Retry": [A_ONCE]}, caught(B)),
    ],
    ids=str,
)
def test_what_reaches_the_next_state(
    monkeypatch: pytest.MonkeyPatch, failures: list[str], fields: dict[str, Any], outcome: Any
) -> None:
    told = run_both(monkeypatch, two_tasks(**fields), GIVEN, {"First": failures})
    assert (told.ended.error or told.asked[-1][2]["Payload"]) == outcome


@pytest.mark.parametrize(
    ("retriers", "failures", "seconds"),
    [
        ([{"ErrorEquals": [A]}], [A] * 4, [1, 2, 4]),
        ([{"ErrorEquals": [A, B], "IntervalSeconds": 3, "BackoffRate": 1.5}], [A, B, A], [3, 4.5, 6.75]),
        ([{**ALL, "MaxDelaySeconds": 3, "JitterStrategy": "NONE"}], [A, A, A], [1, 2, 3]),
        ([{**ALL, "MaxDelaySeconds": 3, "JitterStrategy": "FULL"}], [A, A, A], [0.25, 0.5, 0.75]),
        ([NEVER_A, ALL], [A], []),
        ([A_ONCE, ALL], [A, A], [1]),
        ([FAILED], [A, TIMEOUT], [1]),
        ([FAILED, {**ALL, "IntervalSeconds": 9}], [TIMEOUT, A], [9, 1]),
        ([{"ErrorEquals": [A]}, {"ErrorEquals": [B]}], [A, B, A, B], [1, 1, 2, 2]),
    ],
    ids=str,
)
def test_each_retrier_allows_and_counts_its_own_attempts(
    monkeypatch: pytest.MonkeyPatch, retriers: list[Any], failures: list[str], seconds: list[float]
) -> None:
    told = run_both(monkeypatch, two_tasks(Retry=retriers), GIVEN, {"First": failures})
    assert told.waits == [("First", each) for each in seconds]


# ─── Ours alone ─────────────────────────────────────────────────────────────────────────────────────────────

UNKNOWN = ("$.cat.toys[0]", "$..name", "$$.State.Name", "$cat", "$.cat or $", "States.Format('\\'')")
UNKNOWN_CALLS = ("UUID()", "MathAdd(1, 2", "MathAdd(1, '')", "Format('{}', $)", "Format('{}')")
LARGEST = "ね" * 87_380 + "nn"  # 256 KiB as UTF-8, with the quotes of JSON


@pytest.mark.parametrize(
    ("fields", "given", "answer", "attempts", "error"),
    [
        ({"Parameters": {"of.$": "$.dog"}}, GIVEN, "", 0, "States.Runtime"),
        ({"Parameters": {"of.$": "$.cat.toys.mouse"}}, GIVEN, "", 0, "States.Runtime"),
        ({"ResultSelector": {"of.$": "$.dog"}}, GIVEN, {}, 1, "States.Runtime"),
        ({"OutputPath": "$.dog"}, GIVEN, {}, 1, "States.Runtime"),
        ({"ResultPath": None, "Parameters": {}}, {"a": LARGEST[2:]}, LARGEST, 1, None),
        ({"ResultPath": None}, LARGEST, "", 0, "States.DataLimitExceeded"),
        ({"ResultPath": None}, "", LARGEST + "n", 1, "States.DataLimitExceeded"),
        ({"ResultPath": "$.told"}, {}, LARGEST, 1, "States.DataLimitExceeded"),
        ({}, {}, TaskFailed(A, LARGEST), 2, "States.DataLimitExceeded"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_neither_a_missing_path_nor_too_much_data_is_retried_or_caught(
    fields: dict[str, Any], given: Any, answer: Any, attempts: int, error: str | None
) -> None:
    """Moto differs from https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html."""
    machine = two_tasks(Retry=[{**FAILED, "MaxAttempts": 1}, ALL], Catch=[CATCH_FAILED, CATCH], **fields)
    machine["States"]["Second"] = {"Type": "Succeed"}
    told = run_ours(machine, given, Mock(side_effect=[answer] * 2))
    assert (told.ended.error, len(told.asked), "Second" in told.entered) == (error, attempts, not error)


def test_states_share_no_data_with_their_tasks() -> None:
    given: dict[str, Any] = {"toys": []}
    made: dict[str, Any] = {"toys": []}
    seen: list[str] = []

    def play(state: str, parameters: Any) -> Any:
        seen.append(json.dumps(parameters["Payload"]))
        for held in (given, made, parameters["Payload"]):
            held["toys"].append(state)
        return made

    told = run_ours(two_tasks(ResultPath="$.told"), given, play)
    assert seen == ['{"toys": []}', '{"toys": [], "told": {"toys": ["First"]}}']
    assert told.ended.output == {"toys": ["First", "Second"]}


@pytest.mark.parametrize(
    "machine",
    [
        {**two_tasks(), "QueryLanguage": "JSONata"},
        {**two_tasks(), "States": {**two_tasks()["States"], "Third": {"Type": "Pass"}}},
        {"States": {"First": {"Type": "Succeed", "InputPath": "$"}}},
        {"States": {"First": {"Type": "Fail", "CausePath": "$"}}},
        two_tasks(HeartbeatSeconds=1),
        two_tasks(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken"),
        two_tasks(Retry=[ALL, {**ALL, "Comment": "why"}]),
        two_tasks(Retry=[{**ALL, "JitterStrategy": "HALF"}]),
        two_tasks(Retry=[{"ErrorEquals": [A, "States.Permissions"]}]),
        two_tasks(Catch=[CATCH, {**CATCH, "Assign": {}}]),
        two_tasks(ResultPath="$.cat.told"),
        two_tasks(OutputPath=None),
        *(two_tasks(Parameters={"of.$": text}) for text in UNKNOWN),
        *(two_tasks(Parameters={"of.$": f"States.{call}"}) for call in UNKNOWN_CALLS),
    ],
    ids=str,
)
def test_an_unknown_construct_is_refused_even_where_no_execution_comes(machine: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        run_ours(machine, GIVEN, tasks({}, TaskFailed))
