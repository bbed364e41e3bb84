"""The local stack: what it promises whoever runs it, and what its engines promise the system."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from local import aws
from local.names import ROOT, STRIPE_ACCOUNT_API_VERSION, STRIPE_API_KEY
from local.process import StartError
from local.stack import API_VERSION_VARIABLE, Ports, Stack
from tests.processes import LINUX, LOOPBACK, alive, descendants, frozen, listening, was_told_something

PATIENCE_SECONDS = 60
PROGRAMS = 6
VERIFY_EVENT = "AWS_LAMBDA_FUNCTION_NAME=local_jm_nyanko_verify_event"


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


# As a program


def test_other_programs_are_told_where_everything_is(stack: Stack, http: requests.Session) -> None:
    told = json.loads((stack.directory / "stack.json").read_text())
    assert told == stack.description
    assert http.get(f"{told['api']}/health").json()["stage"] == told["stage"] == "local"
    for stand_in in ("stripe", "web3auth", "joinmake"):
        assert http.get(f"{told[stand_in]}/_health").status_code == 200
    assert http.get(told["web"]).headers["Content-Type"].startswith("text/html")
    assert told["webhook_secret"].startswith("whsec_")
    assert (told["region"], told["account"]) == ("ap-northeast-1", "123456789012")
    machine = f"arn:aws:states:{told['region']}:{told['account']}:stateMachine:local_jm_nyanko_payment"
    for engine in ("aws", "stepfunctions"):
        described = aws.client("stepfunctions", told[engine]).describe_state_machine(stateMachineArn=machine)
        assert described["status"] == "ACTIVE"


def test_make_run_on_a_taken_port_says_so_in_one_line_and_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "-m", "local", "--port-base", str(port), "--directory", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert f"port {port}" in run.stderr
    assert "NYANKO_PORT_BASE" in run.stderr


@pytest.mark.parametrize("base", ["80", "65531", "4570.5", "nyanko"])
def test_a_port_base_that_is_none_is_refused_before_anything_starts(tmp_path: Path, base: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "local", "--port-base", base, "--directory", str(tmp_path / "unused")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert f"must be a port from 1024 to 65530, not {base!r}" in run.stderr
    assert not (tmp_path / "unused").exists()


def test_a_folder_serves_one_stack_at_a_time(stack: Stack) -> None:
    with pytest.raises(StartError, match="NYANKO_LOCAL_DIR"):
        Stack(Ports.free(), stack.directory).__enter__()


def test_two_stacks_run_side_by_side_and_know_nothing_of_each_other(
    stack: Stack, tmp_path: Path, http: requests.Session
) -> None:
    with Stack(Ports.free(), tmp_path) as other:
        token = http.post(f"{other.web3auth}/token", json={"name": "mike"}).json()["token"]
        signed_in = {"Authorization": f"Bearer {token}"}
        assert http.get(f"{other.api}/inventory", headers=signed_in).status_code == 200
        assert http.get(f"{stack.api}/inventory", headers=signed_in).status_code == 401
        players = [
            aws.client("dynamodb", one.aws).scan(TableName="local_jm_nyanko_players")["Items"]
            for one in (stack, other)
        ]
    [player] = players[1]
    assert player not in players[0]


def test_the_version_of_the_stripe_account_is_told_and_chosen_by_the_environment(
    stack: Stack, http: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def version() -> str:
        return Stack(Ports.free(), tmp_path).description["stripe_account_api_version"]

    answer = http.get(f"{stack.stripe}/v1/events", headers={"Authorization": f"Bearer {STRIPE_API_KEY}"})
    assert answer.headers["Stripe-Version"] == stack.description["stripe_account_api_version"]
    monkeypatch.delenv(API_VERSION_VARIABLE, raising=False)
    assert version() == STRIPE_ACCOUNT_API_VERSION
    monkeypatch.setenv(API_VERSION_VARIABLE, "2025-03-31.basil")
    assert version() == "2025-03-31.basil"


@LINUX
def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    found = listening(descendants(os.getpid()))
    assert {stack.ports.aws, stack.ports.stepfunctions, stack.ports.stripe} <= {port for _, port in found}
    assert {address for address, _ in found} == {LOOPBACK}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_stopping_leaves_no_program_behind(tmp_path: Path, number: signal.Signals) -> None:
    with make_run(tmp_path) as run:
        started = descendants(run.pid)
        assert len(started) >= PROGRAMS
        is_told = number != signal.SIGKILL
        if is_told:
            for pid in started:
                with contextlib.suppress(ProcessLookupError):  # who only asked for a Docker engine
                    os.kill(pid, signal.SIGSTOP)  # nobody is able to leave by itself
        run.send_signal(number)
        assert (run.wait(PATIENCE_SECONDS) == 0) is is_told
        assert eventually(lambda: not alive(started))
        assert (tmp_path / "stack.json").exists() is not is_told


# When something dies


def test_killed_step_functions_come_back_with_their_machine(stack: Stack) -> None:
    process = stack.processes["stepfunctions"]
    killed = process.pid
    os.killpg(killed, signal.SIGKILL)
    assert eventually(lambda: process.pid != killed)
    process.await_health()
    execution = Execution(stack, "evt_after_the_kill")
    assert execution.start()
    assert eventually(lambda: execution.outcome() == "Parked")


def test_a_ministack_that_died_comes_back_deployed_and_stocked(
    tmp_path: Path, http: requests.Session
) -> None:
    with Stack(Ports.free(), tmp_path) as stack:
        ministack = stack.processes["ministack"]
        killed = ministack.pid
        os.killpg(killed, signal.SIGKILL)
        assert eventually(lambda: ministack.pid != killed)
        assert eventually(lambda: answers(http, f"{stack.api}/products"))


@LINUX
def test_a_function_killed_in_mid_invocation_is_an_error_that_the_workflow_retries(stack: Stack) -> None:
    warm(stack, "evt_before_the_function_is_killed")
    execution = Execution(stack, "evt_killed_in_mid_invocation")
    with frozen(stack.processes["ministack"].pid, VERIFY_EVENT) as pids:
        assert execution.start()
        assert eventually(lambda: was_told_something(pids))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: execution.outcome() == "Parked")
    assert execution.failures() == ["Runtime.ExitError", "Permanent"]


@LINUX
def test_an_aborted_execution_is_a_dead_letter(stack: Stack) -> None:
    warm(stack, "evt_before_the_abort")
    execution = Execution(stack, "evt_aborted")
    with frozen(stack.processes["ministack"].pid, VERIFY_EVENT) as pids:
        assert execution.start()
        assert eventually(lambda: was_told_something(pids))
        execution.abort()
    assert eventually(lambda: execution.outcome() == "ABORTED")
    assert eventually(lambda: took_dead_letter(stack, {"execution": "evt_aborted", "reason": "ABORTED"}))


# What the engines promise


def test_of_executions_with_one_name_one_is_started(stack: Stack) -> None:
    executions = [Execution(stack, f"evt_started_at_once_{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for execution in executions:
            assert sorted(threads.map(execution.start, range(8))) == [False] * 7 + [True]


def test_a_message_that_fails_as_often_as_it_may_is_a_dead_letter_and_its_neighbour_passes(
    stack: Stack,
) -> None:
    sqs = aws.client("sqs", stack.aws)
    queue = stack.outputs["PaymentEventsUrl"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    patience = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    redrive = {**json.loads(patience["RedrivePolicy"]), "maxReceiveCount": 3}
    neighbour = Execution(stack, "evt_beside_poison")
    bodies = [json.dumps({"poison": True}), json.dumps(delivery(neighbour.event_id))]
    hasty = {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(redrive)}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=hasty)
    try:
        sqs.send_message_batch(
            QueueUrl=queue,
            Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
        )
        assert eventually(lambda: took_dead_letter(stack, {"poison": True}))
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=patience)
    assert eventually(lambda: neighbour.exists() and neighbour.outcome() == "Parked")


def test_an_authorization_that_is_cached_ends_with_its_token(stack: Stack, http: requests.Session) -> None:
    signed_in = http.post(f"{stack.web3auth}/token", json={"name": "cached", "expires_in": 3}).json()

    def status() -> int:
        headers = {"Authorization": f"Bearer {signed_in['token']}"}
        return http.get(f"{stack.api}/inventory", headers=headers).status_code

    assert status() == 200
    assert eventually(lambda: status() == 401)


def test_a_browser_of_the_frontend_may_call_and_read_refusals(stack: Stack, http: requests.Session) -> None:
    asked = {"Origin": stack.frontend_origin, "Access-Control-Request-Method": "POST"}
    allowed = http.options(f"{stack.api}/checkout", headers=asked).headers
    assert allowed["Access-Control-Allow-Origin"] == stack.frontend_origin
    assert "Idempotency-Key" in allowed["Access-Control-Allow-Headers"]
    refused = http.get(f"{stack.api}/inventory", headers={"Authorization": "Bearer a.b.c"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "Unauthorized")
    assert refused.headers["Access-Control-Allow-Origin"] == stack.frontend_origin


# Hands


class Execution:
    """An execution of the payment workflow for an event that Stripe does not know, and is parked for that."""

    def __init__(self, stack: Stack, event_id: str) -> None:
        self.event_id = event_id
        self._machine = stack.outputs["PaymentStateMachineArn"]
        self._arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{event_id}"
        self._stepfunctions = aws.client("stepfunctions", stack.stepfunctions)

    def start(self, received_at: int = 0) -> bool:
        """Whether it was started; it was not if there is one of this name with another input."""
        event = json.dumps(delivery(self.event_id, received_at))
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._machine, name=self.event_id, input=event
            )
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def abort(self) -> None:
        self._stepfunctions.stop_execution(executionArn=self._arn)

    def outcome(self) -> str:
        """Its error, or else its status."""
        described = self._stepfunctions.describe_execution(executionArn=self._arn)
        return str(described.get("error", described["status"]))

    def exists(self) -> bool:
        try:
            return bool(self.outcome())
        except self._stepfunctions.exceptions.ExecutionDoesNotExist:
            return False

    def failures(self) -> list[str]:
        """The errors of its tasks, those that were retried too."""
        history = self._stepfunctions.get_execution_history(executionArn=self._arn)["events"]
        return [
            event["taskFailedEventDetails"]["error"] for event in history if event["type"] == "TaskFailed"
        ]


def warm(stack: Stack, event_id: str) -> None:
    """Have the functions served once, so that one that is frozen is frozen while it waits for an event."""
    execution = Execution(stack, event_id)
    assert execution.start()
    assert eventually(lambda: execution.outcome() == "Parked")


def delivery(event_id: str, received_at: int = 0) -> dict[str, Any]:
    """What the webhook puts into the queue for an event whose body has to be fetched."""
    return {"event_id": event_id, "received_at": received_at, "body": "", "signature": ""}


def took_dead_letter(stack: Stack, letter: dict[str, Any]) -> bool:
    """Whether it is visible in the dead letter queue, from which it is taken: other tests look there too."""
    sqs = aws.client("sqs", stack.aws)
    queue = stack.outputs["PaymentEventsDlqUrl"]
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=1).get(
        "Messages"
    ):
        for message in batch:
            if json.loads(message["Body"]) == letter:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return True
    return False


@contextmanager
def make_run(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`make run` in a folder of its own, once it is up; killed in the end if it still runs."""
    command = [sys.executable, "-m", "local", "--port-base", str(free_base()), "--directory", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as run:
        try:
            assert eventually(lambda: (directory / "stack.json").exists() or run.poll() is not None)
            assert run.poll() is None
            yield run
        finally:
            run.kill()


def free_base() -> int:
    for base in range(20000, 60000, 10):
        try:
            Ports.from_base(base).require_free()
        except StartError:
            continue
        return base
    raise AssertionError("no six free ports in a row")


def answers(http: requests.Session, url: str) -> bool:
    try:
        return http.get(url, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
