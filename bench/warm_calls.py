"""Runs under the functions' own Python: how long a warm handler takes, and the calls that it makes of AWS.

Told on standard input, as JSON: the event, what AWS answers by operation, and how often to measure. AWS is
answered for at the edge of HTTP: requests are written and signed, answers are read, no socket is opened.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import Any

import boto3
import botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.session import Session

told = json.load(sys.stdin)
Call = tuple[str, str, dict[str, Any]]


class Context:
    """What Lambda hands a handler besides the event."""

    aws_request_id = function_name = invoked_function_arn = "warm"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Raw(BytesIO):
    """An answer's body, as urllib3 would hand it on."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.getvalue()]


def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    target = request.headers.get("X-Amz-Target", b"")
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    status, body = told["answers"].get(operation, [200, {}])
    return AWSResponse(request.url, status, HTTPHeaders(), Raw(json.dumps(body).encode()))


def at_the_edge(session: Session) -> None:
    session.register("before-send", answer)  # type: ignore[arg-type] # what it returns is the answer


def calls_of(handle: Callable[[], object]) -> list[Call]:
    """What is called of AWS meanwhile: service, operation and parameters."""
    made: list[Call] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # noqa: SLF001 where all operations meet

    def recorded(client: Any, operation: str, params: dict[str, Any]) -> Any:  # noqa: ANN401 any client
        made.append((client.meta.service_model.service_name, operation, params))
        return call(client, operation, params)

    BaseClient._make_api_call = recorded  # type: ignore[attr-defined] # noqa: SLF001
    handle()
    BaseClient._make_api_call = call  # type: ignore[attr-defined] # noqa: SLF001
    return made


def bare(calls: list[Call]) -> Callable[[], None]:
    """The same calls, made by boto3's clients and by nobody else."""
    clients = {service: boto3.client(service) for service, _, _ in calls}  # type: ignore[call-overload]

    def make() -> None:
        for service, operation, params in calls:
            client = clients[service]
            with suppress(client.exceptions.ClientError):
                client._make_api_call(operation, params)  # noqa: SLF001 each method of a client is only this

    return make


def microseconds(run: Callable[[], object], calls: int) -> float:
    """CPU time of one call."""
    before = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - before) / calls * 1e6


def main() -> None:
    botocore.register_initializer(at_the_edge)
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115 until the program ends
    handler = import_module("app").lambda_handler

    def handle() -> object:
        return handler(told["event"], Context())

    for _ in range(10):
        handle()
    calls = calls_of(handle)
    floor = bare(calls)
    each = told["calls"]
    pairs = [(microseconds(handle, each), microseconds(floor, each)) for _ in range(told["rounds"])]
    names = [f"{service} {operation}" for service, operation, _ in calls]
    json.dump({"calls": names, "pairs": pairs}, out)


main()
