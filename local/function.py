"""What a function's process runs: AWS's own runtime client, in the environment of this checkout.

It has imported botocore, which every function needs, before it asks for its first event. Every call that the
function makes of AWS is written to a file, by the names of what it is done to and nothing else: a test
compares them with the function's permissions.
"""

import json
import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session  # noqa: F401 its import takes longer than all else on the way to the first answer
from botocore.client import BaseClient

NAMES = frozenset(
    {
        "TableName",
        "IndexName",
        "QueueUrl",
        "SecretId",
        "KeyId",
        "ConnectionId",
        "stateMachineArn",
        "executionArn",
    }
)


def record_calls(function: str, path: Path) -> None:
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # noqa: SLF001 before botocore adds a thing

    def recorded(client: Any, operation: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401 any client
        made = {
            "function": function,
            "service": client.meta.service_model.service_name,
            "operation": operation,
            "params": names(params),
        }
        with path.open("a") as calls:
            calls.write(json.dumps(made) + "\n")
        return call(client, operation, params)

    BaseClient._make_api_call = recorded  # type: ignore[attr-defined] # noqa: SLF001


def names(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that say what a call is done to, those of a transaction's writes included."""
    named: dict[str, Any] = {name: value for name, value in params.items() if name in NAMES}
    if "RequestItems" in params:
        named["RequestItems"] = dict.fromkeys(params["RequestItems"])
    if "TransactItems" in params:
        named["TransactItems"] = [
            {kind: names(write) for kind, write in item.items()} for item in params["TransactItems"]
        ]
    return named


if __name__ == "__main__":
    record_calls(os.environ["AWS_LAMBDA_FUNCTION_NAME"], Path(os.environ["FUNCTION_CALLS"]))
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
