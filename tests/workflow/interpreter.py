"""Moto's interpreter of the States Language under control: one thing at a time, no sleep, faults by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import uniform
from types import SimpleNamespace
from typing import Any

import pytest
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType as Reserved,
)
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_dynamodb,
    state_task_service_lambda,
    state_task_service_sqs,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from tests.workflow.happenings import Happenings

Invoke = Callable[[str, str], tuple[str, bool]]
"""From a function's name and its payload to its answer and whether that is an error."""

SERVICES = (
    state_task_service_dynamodb.StateTaskServiceDynamoDB,
    state_task_service_lambda.StateTaskServiceLambda,
    state_task_service_sqs.StateTaskServiceSqs,
)

_parse = cache(AmazonStateLanguageParser.parse)
"""Parsing takes longer than an execution, and what it makes is only read."""


@dataclass(frozen=True)
class Backoff:
    """One wait before a retry of a state: `slept` seconds, drawn from 0 to `limit`."""

    state: str
    limit: float
    slept: float


class Fault(Exception):
    """A state fails with the error name that Step Functions would see."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


class Interpreter:
    """What `happenings` are planned for states, and what `backoff` there was; it `invoke`s functions."""

    def __init__(self, invoke: Invoke) -> None:
        self.happenings = Happenings()
        self.backoff: list[Backoff] = []
        self._invoke = invoke
        self._failed_state = ""
        self._limit: float | None = None

    def control(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # StartExecution returns when the execution has ended.
        monkeypatch.setattr(ExecutionWorker, "start", ExecutionWorker._execution_logic)
        monkeypatch.setattr(AmazonStateLanguageParser, "parse", staticmethod(_parse))
        monkeypatch.setattr(LambdaSimpleBackend, "invoke", self._run_function)
        # States time out when a test says so, and not because a machine is slow.
        monkeypatch.setattr(TimeoutSeconds, "_eval_seconds", _never)
        run = StateTaskService._eval_execution
        monkeypatch.setattr(
            StateTaskService, "_eval_execution", lambda state, env: self._run_state(state, env, run)
        )
        for service in SERVICES:
            monkeypatch.setattr(service, "_from_error", _naming_faults(service._from_error))
        monkeypatch.setattr(jitter_strategy_decl, "random", SimpleNamespace(uniform=self._draw))
        monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=self._sleep))

    def _run_function(
        self, name: str, _qualifier: object, body: str, _headers: object, answered: dict[str, str]
    ) -> str:
        payload, failed = self._invoke(name, body)
        if failed:
            answered["x-amz-function-error"] = "Unhandled"
        return payload

    def _run_state(self, state: StateTaskService, env: object, run: Callable[..., None]) -> None:
        try:
            self.happenings.run(state.name, lambda: run(state, env))
        except Exception:
            self._failed_state = state.name
            raise

    def _draw(self, low: float, high: float) -> float:
        self._limit = high
        return uniform(low, high)  # noqa: S311 not a secret

    def _sleep(self, seconds: float) -> None:
        """Without jitter nothing was drawn, and what is slept is the limit itself."""
        limit = seconds if self._limit is None else self._limit
        self.backoff.append(Backoff(self._failed_state, limit, seconds))
        self._limit = None


def _never(state: TimeoutSeconds, env: object) -> int:  # noqa: ARG001 moto gives it by name
    return state.DEFAULT_TIMEOUT_SECONDS


def _naming_faults(from_error: Callable[..., FailureEvent]) -> Callable[..., FailureEvent]:
    """Give a fault the name that the test asked for; moto would make one from its class."""

    def failure(state: StateTaskService, env: Any, ex: Exception) -> FailureEvent:
        if not isinstance(ex, Fault):
            return from_error(state, env=env, ex=ex)
        timed_out = ex.error == "States.Timeout"
        kind = "TimedOut" if timed_out else "Failed"
        details: Any = {f"task{kind}EventDetails": {"error": ex.error, "cause": ex.cause}}
        return FailureEvent(
            env=env,
            error_name=StatesErrorName(Reserved.StatesTimeout) if timed_out else CustomErrorName(ex.error),
            event_type=HistoryEventType[f"Task{kind}"],
            event_details=details,
        )

    return failure
