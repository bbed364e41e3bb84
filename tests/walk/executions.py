"""Executions of the shipped definition, each a task; each function that it calls a process of its own."""

import importlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from nyanko.errors import BadInput, NotOurs, Permanent, Retryable
from tests import template
from tests.invocation import invocation
from tests.walk import states
from tests.walk.aws import Aws, Execution, StepFunctions
from tests.walk.oracle import Violation, unexpected
from tests.walk.tasks import Breakage, Crashed, Task, Tasks, TimedOut
from tests.workflow.lambda_runtime import FUNCTIONS, by_name

MACHINE = template.definition("PaymentStateMachine")
EXECUTION_SECONDS: int = MACHINE["TimeoutSeconds"]
DEAD_LETTERS: str = template.resolved({"Ref": "PaymentEventsDlq"})
EXPECTED = (BadInput, NotOurs, Permanent, Retryable)
"""How a function may fail: it makes these of all faults."""

SERVICES = {"dynamodb": "DynamoDB", "sqs": "SQS"}
"""How Step Functions begins the name of a service's error."""


class Executions:
    """What is `broken` is a function, by its folder, or a state that calls AWS itself.

    `named` tells executions apart for a person; `now` gives epoch seconds UTC.
    """

    def __init__(self, tasks: Tasks, now: Callable[[], float], named: Callable[[str], str]) -> None:
        self.stepfunctions = StepFunctions(self._begin, now)
        self._tasks = tasks
        self._now = now
        self._named = named
        self.broken: dict[str, Breakage] = {}
        self._of_task: dict[Task, Execution] = {}
        self.aws: Aws

    def abort(self, task: Task) -> None:
        """Stop an execution, or end whatever else the task is."""
        self._tasks.abort(task)
        if (execution := self._of_task.get(task)) and execution.status == "RUNNING":
            self._interrupt(execution, "ABORTED")

    def invoke(self, folder: str, event: Any) -> Any:
        """What a function answers within its time; event and answer cross as JSON."""
        seconds = FUNCTIONS[folder].timeout
        handler, given, context = _handler(folder), json.loads(json.dumps(event)), invocation(seconds)
        breakage = self.broken.get(folder)
        return self._tasks.invoke(lambda: json.loads(json.dumps(handler(given, context))), seconds, breakage)

    def _begin(self, execution: Execution) -> None:
        name = f"execution {self._named(execution.name)}"
        self._of_task[self._tasks.start(name, lambda: self._execute(execution))] = execution

    def _execute(self, execution: Execution) -> None:
        try:
            ended = states.run(
                MACHINE,
                json.loads(execution.given),
                execution.name,
                perform=self._perform,
                wait=lambda seconds: self._wait(execution, seconds),
                draw=lambda _low, high: high,
                enter=execution.states.append,
            )
        except _TooLate:
            self._interrupt(execution, "TIMED_OUT")
            return
        execution.status, execution.error, execution.cause = ended.status, ended.error, ended.cause
        execution.stopped_at = self._now()

    def _interrupt(self, execution: Execution, status: str) -> None:
        """EventBridge writes a letter of it (`PaymentInterruptedRule` in template.yaml)."""
        execution.status, execution.stopped_at = status, self._now()
        letter = json.dumps({"execution": execution.name, "reason": status})
        self.aws.sqs.send_message(QueueUrl=DEAD_LETTERS, MessageBody=letter)

    def _wait(self, execution: Execution, seconds: float) -> None:
        self._tasks.sleep(seconds)
        if self._now() > execution.started_at + EXECUTION_SECONDS:
            raise _TooLate

    def _perform(self, state: str, resource: str, parameters: Any) -> Any:
        service, _, action = resource.removeprefix("arn:aws:states:::").partition(":")
        try:
            return self._ask(state, service, action, parameters)
        except TimedOut:
            raise states.TaskFailed("States.Timeout", "") from None
        except Crashed:
            raise states.TaskFailed("Runtime.ExitError", "the process ended") from None
        except Exception as error:
            raise _failure(service, error) from error

    def _ask(self, state: str, service: str, action: str, parameters: Any) -> Any:
        seconds, breakage = MACHINE["States"][state]["TimeoutSeconds"], self.broken.get(state)
        match service, action:
            case "lambda", "invoke":
                folder = by_name(parameters["FunctionName"]).folder
                return {"Payload": self.invoke(folder, parameters["Payload"]), "StatusCode": 200}
            case "dynamodb", "putItem":
                client = self.aws("dynamodb")
                return self._tasks.invoke(lambda: client.put_item(**parameters), seconds, breakage) or {}
            case "sqs", "sendMessage":
                client, given = (
                    self.aws("sqs"),
                    {**parameters, "MessageBody": json.dumps(parameters["MessageBody"])},
                )
                return self._tasks.invoke(lambda: client.send_message(**given), seconds, breakage) or {}
        raise NotImplementedError(f"say here what {service}:{action} does")


class _TooLate(BaseException):
    """An execution is older than it may become."""


def _failure(service: str, error: Exception) -> states.TaskFailed:
    """What Step Functions makes of an error: of a function its class, of a service its code."""
    if service == "lambda":
        name = type(error).__name__
        if not isinstance(error, EXPECTED):
            raise Violation(unexpected(error))
        return states.TaskFailed(name, json.dumps({"errorMessage": str(error), "errorType": name}))
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "SdkClientException"
    return states.TaskFailed(f"{SERVICES[service]}.{code}", str(error))


@cache
def _handler(folder: str) -> Callable[[Any, Any], Any]:
    module = importlib.import_module(FUNCTIONS[folder].handler_module)
    handler: Callable[[Any, Any], Any] = module.lambda_handler
    return handler
