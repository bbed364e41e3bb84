"""`template.yaml` resolved for one stage as CloudFormation would: whence tests read names and permissions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
STAGE = "stg"
REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
GLOBALS = {
    "Stage": STAGE,
    "Version": "tested",
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
SOURCE: Mapping[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES: Mapping[str, Any] = SOURCE["Resources"]


@dataclass(frozen=True)
class Function:
    """`folder` is the name under `functions/`, `timeout` is in seconds, `memory` in MB, `system_log_level` is
    for Lambda's own lines, `statements` are of its policies."""

    logical_id: str
    folder: str
    name: str
    timeout: int
    memory: int
    system_log_level: str
    environment: Mapping[str, str]
    statements: list[dict[str, Any]]
    events: Mapping[str, Any]

    @property
    def handler_module(self) -> str:
        return f"functions.{self.folder}.app"


def each(resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Logical id and properties of the resources of a type, as they stand in the template."""
    for logical_id, resource in RESOURCES.items():
        if resource["Type"] == resource_type:
            yield logical_id, resource.get("Properties", {})


def resolved(value: Any) -> Any:
    """The value without intrinsic functions; a parameter that Terraform writes stays `{{resolve:ssm:…}}`."""
    if isinstance(value, Mapping):
        match list(value.items()):
            case [("Ref", str(name))]:
                return GLOBALS.get(name) or _ref(name)
            case [("Fn::GetAtt", [logical_id, "Arn"])]:
                return arn(logical_id)
            case [("Fn::Sub", str(text))]:
                return re.sub(
                    r"\$\{([\w:]+(?:\.Stage)?)\}", lambda name: str(resolved({"Ref": name[1]})), text
                )
        return {key: resolved(inner) for key, inner in value.items()}
    return [resolved(inner) for inner in value] if isinstance(value, list) else value


def arn(logical_id: str) -> str:
    service, kind, name = _identity(logical_id)
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}{name}"


def functions() -> dict[str, Function]:
    """Every function by its folder."""
    found = [
        _function(logical_id, properties) for logical_id, properties in each("AWS::Serverless::Function")
    ]
    return {function.folder: function for function in found}


@cache
def definition(logical_id: str) -> dict[str, Any]:
    """A state machine's definition with its substitutions made."""
    machine = RESOURCES[logical_id]["Properties"]
    text = json.dumps(yaml.safe_load((ROOT / machine["DefinitionUri"]).read_text()))
    for name, value in machine["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", resolved(value))
    filled: dict[str, Any] = json.loads(text)
    return filled


def statements(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**resolved(statement), "Action": as_list(statement["Action"])}
        for policy in properties.get("Policies", [])
        for statement in policy["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _function(logical_id: str, properties: Mapping[str, Any]) -> Function:
    shared = SOURCE["Globals"]["Function"]
    environment = {
        **shared["Environment"]["Variables"],
        **properties.get("Environment", {}).get("Variables", {}),
    }
    logging = {**shared["LoggingConfig"], **properties.get("LoggingConfig", {})}
    return Function(
        logical_id=logical_id,
        folder=properties["CodeUri"].removeprefix("functions/"),
        name=resolved(properties["FunctionName"]),
        timeout=properties.get("Timeout", shared["Timeout"]),
        memory=properties.get("MemorySize", shared["MemorySize"]),
        system_log_level=logging.get("SystemLogLevel", "INFO"),
        environment=resolved(environment),
        statements=statements(properties),
        events=properties.get("Events", {}),
    )


def _ref(logical_id: str) -> str:
    if logical_id.endswith(".Alias"):
        function = logical_id.removesuffix(".Alias")
        return f"{arn(function)}:{RESOURCES[function]['Properties']['AutoPublishAlias']}"
    if logical_id.endswith(".Stage"):  # SAM's name for the stage that it generates with an API
        return str(resolved(RESOURCES[logical_id.removesuffix(".Stage")]["Properties"]["StageName"]))
    service, _, name = _identity(logical_id)
    if service == "sqs":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    return arn(logical_id) if service == "states" else name


def _identity(logical_id: str) -> tuple[str, str, str]:
    """Service, kind and name, the parts of an ARN."""
    resource = RESOURCES[logical_id]
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Serverless::Function":
            return "lambda", "function:", resolved(properties["FunctionName"])
        case "AWS::Serverless::StateMachine":
            return "states", "stateMachine:", resolved(properties["Name"])
        case "AWS::SQS::Queue":
            return "sqs", "", resolved(properties["QueueName"])
        case "AWS::Logs::LogGroup":
            return "logs", "log-group:", resolved(properties["LogGroupName"])
        case "AWS::Events::Rule":
            return "events", "rule/", resolved(properties["Name"])
        case _:
            return "unknown", "", logical_id
