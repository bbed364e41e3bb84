"""The shipped payment workflow in-process: its definition on moto, which calls the real functions.

    deliver ──► start_payment ──► StartExecution ──► interpreter ──► functions ──► DynamoDB, SQS (moto)
                                                          ▲              ▲
                                                  happenings of states   happenings of calls

An execution has ended when `deliver` returns; nothing runs beside it, and nothing sleeps.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.custom_responses_mock import reset_responses_mock
from moto.core.models import responses_mock
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local import foundation
from nyanko.adapters.dynamodb import from_item
from nyanko.checkout import new_purchase
from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.deliveries import Delivery
from nyanko.purchases import Purchase
from tests import template
from tests.data import MIKE, MIKES_PURCHASE, STARTER_PACK
from tests.forget import forget_adapters
from tests.stripe_events import NOW, SECRET
from tests.workflow import lambda_runtime
from tests.workflow.calls import Calls, calling_as
from tests.workflow.happenings import Happening, failing
from tests.workflow.interpreter import Backoff, Fault, Interpreter
from tests.workflow.sockets_api import SocketsApi
from tests.workflow.stripe_api import StripeApi

SECRETS = {
    "stripe_webhook_secrets": SECRET,
    "stripe_api_key": "sk_test_nyanko",
    "joinmake_api_key": "join-and-make",
}
PREFIX = f"{template.STAGE}_jm_nyanko"
MACHINE = template.arn("PaymentStateMachine")


@dataclass(frozen=True)
class Execution:
    """`states` are those it entered, in order; `error` and `cause` are None unless it failed."""

    name: str
    status: str
    states: list[str]
    output: Any
    error: str | None
    cause: str | None


class Workflow:
    """The deployed payment workflow and what a test does to it.

    `now` is epoch seconds UTC; `invoked` is each function that a state called, with its payload; `slept` is
    what functions would have waited, in seconds.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.stripe_api = StripeApi()
        self.sockets = SocketsApi()
        self.slept: list[float] = []
        self.calls = Calls()
        self.calls.stand_ins["PostToConnection"] = self.sockets.post
        self.invoked: list[tuple[str, Any]] = []
        self._interpreter = Interpreter(self._run_function)

    @property
    def backoff(self) -> list[Backoff]:
        """Every wait before a retry so far."""
        return self._interpreter.backoff

    def sell(
        self, purchase_id: str = MIKES_PURCHASE, player_id: str = MIKE.player_id, quantity: int = 3
    ) -> Purchase:
        """A purchase of starter packs that was checked out, and not yet paid."""
        purchase = new_purchase(purchase_id, player_id, STARTER_PACK, quantity, self.now)
        assert adapters().purchases.create(purchase, [])
        return purchase

    def invoke(self, folder: str, event: Any) -> Any:
        """What a function answers, by its folder; its exceptions are raised."""
        return lambda_runtime.invoke(folder, event)

    def deliver(self, *deliveries: Delivery, times: int = 1) -> Execution:
        """Hand a batch to start_payment as SQS does; the newest execution of the last delivery's event."""
        failed = self.receive(*deliveries, times=times)
        assert not failed, failed
        return self.executions(deliveries[-1]["event_id"])[-1]

    def receive(self, *bodies: Any, times: int = 1) -> list[int]:
        """Hand a batch to start_payment, for the first time or again; the positions of the messages that it
        gives back to the queue."""
        records = [
            {
                "messageId": str(position),
                "eventSource": "aws:sqs",
                "attributes": {"ApproximateReceiveCount": str(times)},
                "body": json.dumps(body),
            }
            for position, body in enumerate(bodies)
        ]
        answer = self.invoke("start_payment", {"Records": records})
        return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    def executions(self, event_id: str) -> list[Execution]:
        """Every execution of an event, the first one first."""
        listed = _client("stepfunctions").list_executions(stateMachineArn=MACHINE)["executions"]
        names = [item["name"] for item in listed]
        ours = [name for name in names if name == event_id or name.startswith(f"{event_id}-r")]
        in_order = sorted(ours, key=lambda name: (len(name), name))
        return [_execution(name, self.history(name)) for name in in_order]

    def start(self, delivery: Delivery, name: str | None = None) -> None:
        """Start an execution beside start_payment, under the event's name or another."""
        _client("stepfunctions").start_execution(
            stateMachineArn=MACHINE, name=name or delivery["event_id"], input=json.dumps(delivery)
        )

    def history(self, execution: str) -> list[dict[str, Any]]:
        """All that happened in an execution, as GetExecutionHistory lists it."""
        # By the API it would take longer than the execution.
        arn = _execution_arn(execution)
        events: list[dict[str, Any]] = _backend(stepfunctions_parser_backends).get_execution_history(arn)[
            "events"
        ]
        return events

    def abort(self, execution: str) -> None:
        _client("stepfunctions").stop_execution(executionArn=_execution_arn(execution))

    def fail(self, state: str, error: str, cause: str = "broken by the test", times: int = 1) -> None:
        """Let the state's next attempts fail before they have any effect."""
        self._interpreter.happenings.plan(state, failing(Fault(error, cause)), times)

    def fail_after_effect(self, state: str, error: str = "Lambda.Unknown", times: int = 1) -> None:
        """Let the state's next attempts do their work and fail all the same, as when an answer is lost."""
        lost = failing(Fault(error, "the answer was lost"), after_effect=True)
        self._interpreter.happenings.plan(state, lost, times)

    def timeout(self, state: str, times: int = 1) -> None:
        self.fail(state, "States.Timeout", "", times)

    def meanwhile(self, state: str, act: Callable[[], object], *, after_effect: bool = False) -> None:
        """Do something beside this execution, just before or after the work of the state's next attempt."""
        self._interpreter.happenings.plan(state, Happening(_as_nobody(act), after_effect))

    def fail_call(
        self, folder: str, operation: str, code: str, *, times: int = 1, after_effect: bool = False
    ) -> None:
        """Let a function's next calls of an AWS operation, such as `UpdateItem`, be refused."""
        refused = ClientError({"Error": {"Code": code, "Message": "broken by the test"}}, operation)
        self.calls.happenings.plan(
            f"{folder} {operation}", failing(refused, after_effect=after_effect), times
        )

    def meanwhile_call(
        self, folder: str, operation: str, act: Callable[[], object], *, after_effect: bool = False
    ) -> None:
        """Do something just before or after a function's next call: between its read and its write."""
        self.calls.happenings.plan(f"{folder} {operation}", Happening(_as_nobody(act), after_effect))

    def rows(self, noun: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return [
            from_item(item) for item in _client("dynamodb").scan(TableName=adapters().resource(noun))["Items"]
        ]

    def event_row(self, event_id: str) -> dict[str, Any]:
        return next(row for row in self.rows("events") if row["event_id"] == event_id)

    def forget_event(self, event_id: str) -> None:
        """Delete an event's row, as nothing but a mishap does."""
        _client("dynamodb").delete_item(
            TableName=adapters().resource("events"), Key={"event_id": {"S": event_id}}
        )

    def purchase(self, purchase_id: str = MIKES_PURCHASE) -> Purchase:
        found = adapters().purchases.get(purchase_id)
        assert found is not None
        return found

    def inventory(self, player_id: str = MIKE.player_id) -> dict[str, int]:
        """Item id to quantity."""
        return {
            row["item_id"]: row["quantity"] for row in self.rows("inventory") if row["player_id"] == player_id
        }

    def ledger(self, player_id: str = MIKE.player_id) -> dict[str, int]:
        """Item id to the sum of its lines: what the inventory must be."""
        sums: dict[str, int] = {}
        for line in self.rows("ledger"):
            if line["player_id"] == player_id:
                sums[line["item_id"]] = sums.get(line["item_id"], 0) + line["delta"]
        return sums

    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages in the dead-letter queue, which is empty afterwards."""
        return _drain("PaymentEventsDlq")

    def queued(self) -> list[dict[str, Any]]:
        """The messages in the queue of events, which is empty afterwards."""
        return _drain("PaymentEvents")

    def control(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: self.now)
        monkeypatch.setattr(clock, "sleep", self.slept.append)
        monkeypatch.setattr("stripe.RequestsClient", lambda **_options: self.stripe_api)
        self.calls.intercept(monkeypatch)
        self._interpreter.control(monkeypatch)

    def _run_function(self, name: str, payload: str) -> tuple[str, bool]:
        function = lambda_runtime.by_name(name)
        self.invoked.append((function.folder, json.loads(payload)))
        return lambda_runtime.answer(function, payload)

    @property
    def left(self) -> list[str]:
        """What was planned and never happened."""
        return self._interpreter.happenings.left + self.calls.happenings.left


@contextmanager
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workflow]:
    """The workflow on an empty moto, for as long as a test runs; all that it planned must have happened."""
    for name, value in {
        "AWS_DEFAULT_REGION": template.REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "STAGE": template.STAGE,
    }.items():
        monkeypatch.setenv(name, value)
    forget_adapters()
    with _account():
        # Moto drops the session; this one has read AWS's service descriptions already.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
        workflow = Workflow()
        workflow.control(monkeypatch)
        if _is_deployed():
            _empty_resources()
        else:
            _create_resources()
        yield workflow
    forget_adapters()
    assert not workflow.left, f"never happened: {workflow.left}"


@contextmanager
def _account() -> Iterator[None]:
    """Moto with all that was created in it before: creating it anew would take longer than most tests."""
    moto = mock_aws(
        config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    )
    moto.start(reset=False)
    try:
        yield
    finally:
        moto.stop(remove_data=False)
        reset_responses_mock(responses_mock)


def _is_deployed() -> bool:
    return MACHINE in {machine.arn for machine in _backend(stepfunctions_parser_backends).state_machines}


def _empty_resources() -> None:
    for table in _backend(dynamodb_backends).tables.values():
        table.items.clear()
    # SQS lets a queue be purged once in a minute.
    _backend(sqs_backends).queues.clear()
    _create_queues()
    for machine in _backend(stepfunctions_parser_backends).state_machines:
        machine.executions.clear()


def _backend(backends: Any) -> Any:
    return backends[template.ACCOUNT][template.REGION]


@cache
def _session() -> boto3.Session:
    return boto3.Session()


@cache
def _client(service: str) -> Any:
    return _session().client(service)  # type: ignore[call-overload] # the overloads name every service


def _create_resources() -> None:
    for noun, schema in json.loads(foundation.TABLES.read_text()).items():
        foundation._create_table(_client("dynamodb"), f"{PREFIX}_{noun}", schema)
    _create_queues()
    key = _client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    alias = lambda_runtime.SSM_PARAMETERS["replay_key_arn"].rpartition(":")[2]
    _client("kms").create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    for noun, value in SECRETS.items():
        _client("secretsmanager").create_secret(Name=f"{PREFIX}_{noun}", SecretString=value)
    _client("stepfunctions").create_state_machine(
        name=MACHINE.rpartition(":")[2],
        definition=json.dumps(template.definition("PaymentStateMachine")),
        roleArn=f"arn:aws:iam::{template.ACCOUNT}:role/payment",
    )


def _create_queues() -> None:
    for _, queue in template.each("AWS::SQS::Queue"):
        _client("sqs").create_queue(QueueName=template.resolved(queue["QueueName"]))


def _execution(name: str, history: list[dict[str, Any]]) -> Execution:
    described = _client("stepfunctions").describe_execution(executionArn=_execution_arn(name))
    entered = [event.get("stateEnteredEventDetails") for event in history]
    return Execution(
        name=name,
        status=described["status"],
        states=[state["name"] for state in entered if state],
        output=json.loads(described["output"]) if "output" in described else None,
        error=described.get("error"),
        cause=described.get("cause"),
    )


def _execution_arn(name: str) -> str:
    return f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"


def _drain(logical_id: str) -> list[dict[str, Any]]:
    queue = {"QueueUrl": template.resolved({"Ref": logical_id})}
    messages: list[dict[str, Any]] = []
    while received := _client("sqs").receive_message(**queue, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            _client("sqs").delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
            messages.append(json.loads(message["Body"]))
    return messages


def _as_nobody(act: Callable[[], object]) -> Callable[[], object]:
    """What happens meanwhile is not done by the function that is disturbed."""

    def act_as_nobody() -> None:
        with calling_as(None):
            act()

    return act_as_nobody
