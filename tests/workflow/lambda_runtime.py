"""Lambda in-process: each function has the environment and the permissions that `template.yaml` gives it."""

import importlib
import json
import os
import sys
from typing import Any
from unittest import mock

from awslambdaric.bootstrap import build_fault_result

from tests import template
from tests.forget import forget_adapters
from tests.invocation import invocation
from tests.template import Function
from tests.workflow.calls import calling_as

SSM_PARAMETERS = {
    "stripe_api_url": "https://api.stripe.test",
    "frontend_url": "https://nyanko.test/",
    "frontend_origin": "https://nyanko.test",
    "web3auth_client_id": "nyanko_client",
    "web3auth_issuers": '[{"issuer": "https://issuer.test", "jwks_url": "https://issuer.test/jwks"}]',
    "joinmake_api_url": "https://joinmake.test",
    "replay_key_arn": (
        f"arn:aws:kms:{template.REGION}:{template.ACCOUNT}:alias/{template.STAGE}_jm_nyanko_replay"
    ),
    "realtime_url": "wss://realtime.nyanko.test",
}
"""What Terraform would have written, under `/<stage>/jm_nyanko/`."""

FUNCTIONS = template.functions()
_BY_NAME = {function.name: function for function in FUNCTIONS.values()}


def invoke(folder: str, event: Any) -> Any:
    """What the function under `functions/<folder>` answers; its exceptions are raised."""
    function = FUNCTIONS[folder]
    with mock.patch.dict(os.environ, _environment(function)), calling_as(function):
        forget_adapters(keep_clients=True)
        handler = importlib.import_module(function.handler_module).lambda_handler
        # An event and an answer cross the wire as JSON.
        return json.loads(json.dumps(handler(json.loads(json.dumps(event)), invocation(function.timeout))))


def load(folder: str) -> None:
    """Import a function as a cold start does, without a call."""
    function = FUNCTIONS[folder]
    with mock.patch.dict(os.environ, _environment(function)):
        importlib.import_module(function.handler_module)


def by_name(name: str) -> Function:
    """The function of a name, an ARN, or the ARN of an alias."""
    return _BY_NAME[name.split(":")[6] if name.startswith("arn:") else name]


def answer(function: Function, payload: str) -> tuple[str, bool]:
    """The JSON that Lambda answers, and whether it is a function error.

    The error's shape is the runtime client's own: Step Functions reads the exception's class from it.
    """
    try:
        return json.dumps(invoke(function.folder, json.loads(payload))), False
    except Exception:  # noqa: BLE001 a runtime answers for whatever a handler raises
        return json.dumps(build_fault_result(sys.exc_info(), None)), True


def _environment(function: Function) -> dict[str, str]:
    return {name: _read_parameter(value) for name, value in function.environment.items()}


def _read_parameter(value: str) -> str:
    prefix, suffix = f"{{{{resolve:ssm:/{template.STAGE}/jm_nyanko/", "}}"
    return SSM_PARAMETERS[value[len(prefix) : -len(suffix)]] if value.startswith(prefix) else value
