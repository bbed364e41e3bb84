"""The stage that a command speaks to: an AWS account by the usual means, or the local stack."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3  # noqa: TID251 an operator's session is not a function's: it has profiles and a stage of choice

STAGES = ("stg", "prod", "local")
StageName = Literal["stg", "prod", "local"]


class StageError(Exception):
    """The stage cannot be reached; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    session: boto3.Session
    endpoints: dict[str, str]
    """Endpoint URLs by service, "" for all others; empty for AWS."""

    def client(self, service: str) -> Any:  # noqa: ANN401 each service's client has a type of its own
        endpoint = self.endpoints.get(service) or self.endpoints.get("")
        return self.session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload] # any service

    def table(self, noun: str) -> str:
        return f"{self.name}_jm_nyanko_{noun}"


def open_stage(name: str, directory: Path) -> Stage:
    """The named stage; the local one is found by the `stack.json` in `directory`. Raises `StageError`."""
    if name != "local":
        return Stage(name, boto3.Session(region_name="ap-northeast-1"), {})
    description = directory / "stack.json"
    try:
        stack = json.loads(description.read_text())
    except FileNotFoundError:
        raise StageError(f"there is no {description}: start the local stack with `make run`") from None
    session = boto3.Session(
        region_name=stack["region"],
        aws_access_key_id=stack["account"],
        aws_secret_access_key="local",  # noqa: S106 the local engines check none
    )
    return Stage(name, session, {"": stack["aws"], "stepfunctions": stack["stepfunctions"]})
