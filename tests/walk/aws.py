"""AWS in memory, as the shipped adapters call it: every call is a place where another task may have its turn.

DynamoDB has a module of its own. Step Functions may not know for a moment what it has just started; the rest
does what it is told.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.walk.dynamodb import DynamoDB
from tests.walk.tasks import Fault, Tasks

READS = frozenset({"get_item", "batch_get_item", "query", "scan"})
THROTTLED = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "RequestThrottled"}


class Exceptions:
    """The exceptions of a client, by name."""

    def __getattr__(self, name: str) -> type[ClientError]:
        return _exception(name)


@cache
def _exception(name: str) -> type[ClientError]:
    return type(name, (ClientError,), {})


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "refused"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return _exception(code)(response, operation)


def injected(error: Exception) -> Exception:
    """Mark an error as a fault of the walk's: any other that nobody expects is a finding."""
    error.__dict__["injected"] = True
    return error


def is_injected(error: Exception) -> bool:
    return "injected" in error.__dict__


class Client:
    """A client whose calls take turns."""

    def __init__(self, tasks: Tasks, service: str, played: Any) -> None:
        self._tasks = tasks
        self._service = service
        self._played = played
        self.exceptions = played.exceptions

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def get_paginator(self, operation: str) -> "Paginator":
        return Paginator(partial(self._call, operation))

    def _call(self, operation: str, **params: Any) -> Any:
        answer = getattr(self._played, operation)
        return self._tasks.call(
            f"{self._service} {operation}",
            lambda: answer(**params),
            lambda fault: injected(self._refuse(operation, params, fault)),
        )

    def _refuse(self, operation: str, params: Mapping[str, Any], fault: Fault) -> Exception:
        if fault == "lost":
            return ReadTimeoutError(endpoint_url=f"https://{self._service}.test")
        if fault == "refused" or (operation in READS and fault == "conflict"):
            return refusal("InternalServerError", operation, 500)
        if operation == "transact_write_items":
            code = "ThrottlingError" if fault == "throttled" else "TransactionConflict"
            error: type[ClientError] = self.exceptions.TransactionCanceledException
            reasons = [{"Code": code}, *({"Code": "None"} for _ in params["TransactItems"][1:])]
            response: Any = {
                "Error": {"Code": error.__name__, "Message": code},
                "CancellationReasons": reasons,
            }
            return error(response, operation)
        if fault == "throttled":
            return refusal(THROTTLED.get(self._service, "ThrottlingException"), operation, 429)
        return refusal("TransactionConflictException", operation, 400)


class Paginator:
    """One page, as long as no list here is longer than one."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **params: Any) -> Iterator[Any]:
        yield self._call(**params)


@dataclass
class Message:
    """`receives` is how often it was received, and until `visible_at` nobody receives it again."""

    message_id: str
    body: str
    receives: int = 0
    visible_at: float = 0


class Sqs:
    """Messages by the URL of their queue."""

    def __init__(self) -> None:
        self.exceptions = Exceptions()
        self.queues: dict[str, list[Message]] = {}
        self.sent: list[Message] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 as boto3 has it
        message = Message(f"message {len(self.sent) + 1}", MessageBody)
        self.sent.append(message)
        self.queues.setdefault(QueueUrl, []).append(message)


@dataclass
class Execution:
    """`states` are those it entered, in order; times are epoch seconds UTC."""

    name: str
    given: str
    started_at: float
    status: str = "RUNNING"
    states: list[str] = field(default_factory=list)
    stopped_at: float | None = None
    error: str | None = None
    cause: str | None = None


class StepFunctions:
    """`begin` is called with each new execution; while `lagging`, new ones are unknown until `catch_up`."""

    def __init__(self, begin: Callable[[Execution], object], now: Callable[[], float]) -> None:
        self.exceptions = Exceptions()
        self.executions: dict[str, Execution] = {}
        self.lagging = False
        self._fresh: set[str] = set()
        self._begin = begin
        self._now = now

    def catch_up(self) -> None:
        self._fresh.clear()

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, ARG002, N803
        """The same name with the same input, while that runs, is the same execution
        (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)."""
        if found := self.executions.get(name):
            if found.status == "RUNNING" and found.given == input:
                return
            raise refusal("ExecutionAlreadyExists", "StartExecution")
        self.executions[name] = execution = Execution(name, input, self._now())
        if self.lagging:
            self._fresh.add(name)
        self._begin(execution)

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        execution = self._known(executionArn)
        ended = {"stopDate": _date(execution.stopped_at)} if execution.stopped_at else {}
        return {
            "status": execution.status,
            "input": execution.given,
            "startDate": _date(execution.started_at),
            **ended,
        }

    def get_execution_history(self, executionArn: str, **_options: Any) -> dict[str, Any]:  # noqa: N803
        execution = self._known(executionArn)
        at = _date(execution.started_at)
        return {
            "events": [
                {"stateEnteredEventDetails": {"name": name}, "timestamp": at} for name in execution.states
            ]
        }

    def _known(self, arn: str) -> Execution:
        name = arn.rpartition(":")[2]
        if name not in self.executions or name in self._fresh:
            raise refusal("ExecutionDoesNotExist", "DescribeExecution")
        return self.executions[name]


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


class Kms:
    """One HMAC key."""

    def __init__(self) -> None:
        self.exceptions = Exceptions()

    def generate_mac(self, Message: bytes, **_key: Any) -> dict[str, bytes]:  # noqa: N803
        return {"Mac": hmac.digest(b"the key that nobody sees", Message, hashlib.sha256)}

    def verify_mac(self, Message: bytes, Mac: bytes, **_key: Any) -> None:  # noqa: N803
        if not hmac.compare_digest(Mac, self.generate_mac(Message)["Mac"]):
            raise refusal("KMSInvalidMacException", "VerifyMac")


class SecretsManager:
    """Values by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.exceptions = Exceptions()
        self._values = values

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": self._values[SecretId]}


class Sockets:
    """The frames that each connection took."""

    def __init__(self) -> None:
        self.exceptions = Exceptions()
        self.frames: dict[str, list[dict[str, Any]]] = {}

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        self.frames.setdefault(ConnectionId, []).append(json.loads(Data))


class Aws:
    """Every client that an adapter asks for by its service, as `Clients` has them."""

    def __init__(self, tasks: Tasks, dynamodb: DynamoDB, stepfunctions: StepFunctions, secrets: Any) -> None:
        self.sqs = Sqs()
        self.sockets = Sockets()
        self._clients = {
            name: Client(tasks, name, played)
            for name, played in {
                "dynamodb": dynamodb,
                "sqs": self.sqs,
                "stepfunctions": stepfunctions,
                "kms": Kms(),
                "secretsmanager": SecretsManager(secrets),
                "apigatewaymanagementapi": self.sockets,
            }.items()
        }

    def __call__(self, service: str, **_settings: Any) -> Client:
        return self._clients[service]
