"""The calls that functions make of AWS: held to the policies of `template.yaml`, disturbed as a test plans.

Which action a call needs: https://docs.aws.amazon.com/service-authorization/latest/reference/. A transaction
needs the actions of the writes within it.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from nyanko import push
from tests.template import ACCOUNT, REGION, STAGE, Function, as_list
from tests.workflow.happenings import Happenings

Need = tuple[str, str]
"""An action and the ARN that it is done to."""

_caller: ContextVar[Function | None] = ContextVar("caller", default=None)


class Calls:
    """What each function, by its folder, has `used`, and what `happens` to `<folder> <operation>`.

    `stand_ins` answer operations that moto does not play, from their parameters.
    """

    def __init__(self) -> None:
        self.used: dict[str, set[Need]] = {}
        self.stand_ins: dict[str, Callable[[Mapping[str, Any]], Any]] = {}
        self.happenings = Happenings()

    def intercept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        call = BaseClient._make_api_call  # type: ignore[attr-defined] # private

        def intercepted(client: BaseClient, operation: str, params: Mapping[str, Any]) -> Any:
            function = caller()
            if function is None:
                return call(client, operation, params)
            self._check(function, operation, list(needs(client, operation, params)))
            stand_in = self.stand_ins.get(operation)
            return self.happenings.run(
                f"{function.folder} {operation}",
                lambda: stand_in(params) if stand_in else call(client, operation, params),
            )

        monkeypatch.setattr(BaseClient, "_make_api_call", intercepted)
        monkeypatch.setattr(push, "ThreadPoolExecutor", Workers)

    def _check(self, caller: Function, operation: str, needed: list[Need]) -> None:
        self.used.setdefault(caller.folder, set()).update(needed)
        for action, resource in needed:
            if not any(allows(statement, action, resource) for statement in caller.statements):
                message = f"{caller.name} is not authorized to perform {action} on {resource}"
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)


@contextmanager
def calling_as(function: Function | None) -> Iterator[None]:
    """What this thread calls meanwhile is called by the function, or by nobody."""
    token = _caller.set(function)
    try:
        yield
    finally:
        _caller.reset(token)


def caller() -> Function | None:
    """The function that calls in this thread; None for Step Functions and for tests."""
    return _caller.get()


class Workers(ThreadPoolExecutor):
    """Threads in which the same function calls as in the one that started them."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(copy_context().run, work, *args, **kwargs)


def allows(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    return statement["Effect"] == "Allow" and all(
        any(fnmatchcase(asked, pattern) for pattern in as_list(patterns))
        for asked, patterns in ((action, statement["Action"]), (resource, statement["Resource"]))
    )


def needs(client: BaseClient, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    service = client.meta.service_model.service_name
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for write in params["TransactItems"]:
                for kind, item in write.items():
                    action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
                    yield f"dynamodb:{action}", _table(item)
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for table in params["RequestItems"]:
                yield f"dynamodb:{operation}", _table({"TableName": table})
        case "dynamodb", _:
            yield f"dynamodb:{operation}", _table(params)
        case "sqs", _:
            yield (
                f"sqs:{operation}",
                f"arn:aws:sqs:{REGION}:{ACCOUNT}:{params['QueueUrl'].rpartition('/')[2]}",
            )
        case "stepfunctions", _:
            yield f"states:{operation}", params.get("executionArn") or params["stateMachineArn"]
        case "kms", _:
            # The policy names the key by the parameter that holds its ARN.
            yield f"kms:{operation}", f"{{{{resolve:ssm:/{STAGE}/jm_nyanko/replay_key_arn}}}}"
        case "secretsmanager", _:
            secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{params['SecretId']}-AbCdEf"
            yield f"secretsmanager:{operation}", secret
        case "apigatewaymanagementapi", "PostToConnection":
            api = urlsplit(client.meta.endpoint_url)
            stage = f"{api.netloc.partition('.')[0]}{api.path}"
            connection = f"{stage}/POST/@connections/{params['ConnectionId']}"
            yield "execute-api:ManageConnections", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{connection}"
        case _:
            raise NotImplementedError(f"say here what {service} {operation} needs")


def _table(params: Mapping[str, Any]) -> str:
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{params['TableName']}{index}"
