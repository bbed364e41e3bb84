"""Runs moto's server as Step Functions, mended from outside where it differs from AWS.

`python -m local.run_stepfunctions --aws URL --port N`. Its Task states call `http://localhost:$MOTO_PORT`,
which `programs` sets to ministack's port.
"""

import argparse
import contextlib
import threading
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import moto.server
from moto.core.config import default_user_config
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client, json_path
from moto.stepfunctions.parser.models import StepFunctionsParserBackend as Backend

from local import aws, execution_events

TURNS = 32
"""Tasks that run side by side: twice what the local functions of the workflow have processes for."""


def copy_machines_from(ministack: Any) -> None:  # noqa: ANN401 a boto3 client of Step Functions
    """Copy a machine on first use from ministack, where CloudFormation made it under the same ARN.

    So a server that was killed knows its machines as soon as it listens again.
    """
    describe = Backend.describe_state_machine
    copying = threading.Lock()

    def copy_and_describe(self: Backend, arn: str) -> Any:  # noqa: ANN401 moto's machine, or a version of it
        with copying:
            if arn not in {machine.arn for machine in self.state_machines}:
                with contextlib.suppress(ministack.exceptions.StateMachineDoesNotExist):
                    self.state_machines.append(
                        _machine(self, ministack.describe_state_machine(stateMachineArn=arn))
                    )
            return describe(self, arn)

    Backend.describe_state_machine = copy_and_describe  # type: ignore[method-assign, assignment]


def _machine(backend: Backend, found: Mapping[str, Any]) -> StateMachine:
    backend._validate_definition(found["definition"])  # noqa: SLF001 as moto does when it creates one
    return StateMachine(  # type: ignore[abstract] # of a method that only moto's CloudFormation calls
        found["stateMachineArn"],
        found["name"],
        found["definition"],
        found["roleArn"],
        backend,
        sm_type=found["type"],
    )


def start_one_at_a_time() -> None:
    """Let one of two calls with the same name win: moto looks for the other before it adds its own."""
    start = Backend.start_execution
    starting = threading.Lock()

    def start_alone(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 moto's own signature
        with starting:
            return start(*arguments, **options)

    Backend.start_execution = start_alone  # type: ignore[method-assign]


def keep_clients() -> None:
    """Moto makes a client for every task from one session in many threads, which boto3 does not allow
    (https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html).
    """
    clients: dict[str, Any] = {}
    make: Callable[..., Any] = boto3.client
    making = threading.Lock()

    def kept(service_name: str, **options: Any) -> Any:  # noqa: ANN401 a boto3 client and its options
        with making:
            if service_name not in clients:
                clients[service_name] = make(service_name, **options)
            return clients[service_name]

    boto_client.boto3 = SimpleNamespace(client=kept)  # type: ignore[assignment, attr-defined]


def let_stopped_executions_stay_stopped() -> None:
    """StopExecution ends an execution whatever its task comes to; in moto a failing task would outdo it."""
    set_error = Environment.set_error

    def set_error_unless_stopped(self: Environment, error: Any) -> None:  # noqa: ANN401 moto's details
        if not isinstance(self.program_state(), ProgramStopped):
            set_error(self, error)

    Environment.set_error = set_error_unless_stopped  # type: ignore[method-assign]


def let_tasks_wait_their_turn() -> None:
    """A task's clock starts when its turn comes, and a retry waits without one, as with AWS's throttled
    transitions. Were all executions of a burst to run side by side, every task would outlast its timeout.
    """
    run = StateTask._evaluate_with_timeout  # noqa: SLF001 the least that holds a task and its clock
    turns = threading.BoundedSemaphore(TURNS)

    def run_in_turn(self: StateTask, env: Environment) -> None:
        with turns:
            run(self, env)

    StateTask._evaluate_with_timeout = run_in_turn  # type: ignore[assignment, method-assign] # noqa: SLF001


def parse_once() -> None:
    """Moto parses the definition for every execution and a path whenever it is met, which takes most of an
    execution's CPU; what comes of it is only read.
    """
    AmazonStateLanguageParser.parse = staticmethod(cache(AmazonStateLanguageParser.parse))  # type: ignore[method-assign]
    json_path.parse = cache(json_path.parse)  # type: ignore[attr-defined]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local.run_stepfunctions")
    parser.add_argument("--aws", required=True, metavar="URL", help="ministack")
    parser.add_argument("--port", required=True)
    given = parser.parse_args()
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    copy_machines_from(aws.client("stepfunctions", given.aws))
    start_one_at_a_time()
    let_stopped_executions_stay_stopped()
    let_tasks_wait_their_turn()
    parse_once()
    keep_clients()
    execution_events.publish_to(aws.client("events", given.aws), aws.client("cloudwatch", given.aws))
    moto.server.main(["-H", "127.0.0.1", "-p", given.port])
