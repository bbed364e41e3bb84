"""What the functions of the running stack called of AWS, held to their permissions in template.yaml.

Run behind the other tests, as `make test` does, it looks at every call that they caused; alone, at its own.
That no permission is left over is shown by tests/contract/test_permissions.py, where everything is done.
"""

import json
from types import SimpleNamespace
from typing import Any

import requests

from local.stack import Stack
from tests import template
from tests.workflow.calls import allows, needs

ENDPOINT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
FUNCTIONS = {function.name: function for function in template.functions().values()}


def test_every_call_of_a_function_is_permitted(stack: Stack) -> None:
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(f"{stack.api}/products").status_code == 200
    # The tests resolve the template for a stage of their own; names differ by the stage alone.
    recorded = (stack.directory / "logs" / "aws_calls.jsonl").read_text()
    calls = {line.replace("local_jm_nyanko", f"{template.STAGE}_jm_nyanko") for line in recorded.splitlines()}
    refused = [
        (call["function"], action, resource)
        for call in map(json.loads, sorted(calls))
        for action, resource in needed(call)
        # Another test breaks a function by sending it to tables that are not there.
        if "/broken_" not in resource
        and not any(
            allows(statement, action, resource) for statement in FUNCTIONS[call["function"]].statements
        )
    ]
    assert refused == []
    assert any("products" in call for call in calls)


def needed(call: dict[str, Any]) -> list[tuple[str, str]]:
    endpoint = FUNCTIONS[call["function"]].environment.get(ENDPOINT)
    meta = SimpleNamespace(service_model=SimpleNamespace(service_name=call["service"]), endpoint_url=endpoint)
    client: Any = SimpleNamespace(meta=meta)
    return list(needs(client, call["operation"], call["params"]))
