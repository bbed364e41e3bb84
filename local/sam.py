"""`.local/sam/`: what `sam local` is told of the running stack, as samconfig.toml names it.

`make run` writes it at its start and removes it at its end:

    template.json   template.yaml for this machine's processor, with the parameters of the stack
    env.json        what the stack's functions find in their environment, as containers reach it
    core/python     a link to layers/core, so that the next container has the code of now

Nothing is built. A function's folder is what Lambda has in /var/task, the link gives the layer its `python/`
folder, and make has installed the other layer's packages for Lambda's Python and this processor (Makefile,
`.venv/lambda/ready`). So `sam build` is not needed, nor is Python 3.13.
"""

import json
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import aws, bridge
from local.deploy import source
from local.names import REGION, ROOT, STAGE

Environments = Mapping[str, Mapping[str, str]]
"""By a function's logical id: what it finds in its environment."""

TEMPLATE, ENVIRONMENT = "template.json", "env.json"
PACKAGES = ROOT / ".venv" / "lambda"
LOOPBACK = "127.0.0.1"

TOLD_TO_CLIENTS = {"FRONTEND_URL", "FRONTEND_ORIGIN", "REALTIME_URL"}
"""Variables whose URLs are handed on to browsers, which know the stack by its own name."""

SHELLS = {"AWS_SESSION_TOKEN": "", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
"""What SAM CLI would take from the developer's shell. Credentials and endpoints are the stack's anyway."""

PARAMETER = re.compile(r"\{\{resolve:ssm:/\$\{Stage\}/jm_nyanko/(\w+)\}\}")
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def write(folder: Path, aws_url: str, parameters: Mapping[str, str]) -> None:
    """Fill the folder anew for the stack whose AWS is there, deployed with these SSM parameters."""
    shutil.rmtree(folder, ignore_errors=True)
    core = folder / "core" / "python"
    core.parent.mkdir(parents=True)
    core.symlink_to(ROOT / "layers" / "core")
    variables = environments(aws_url)
    (folder / TEMPLATE).write_text(json.dumps(localized(parameters, variables, core.parent), indent=2))
    (folder / ENVIRONMENT).write_text(json.dumps(variables, indent=2))


def environments(aws_url: str) -> Environments:
    """What the functions of the stack find in their environment, as containers reach it."""
    listed = aws.client("lambda", aws_url).list_functions()["Functions"]
    deployed = {function["FunctionName"]: function["Environment"]["Variables"] for function in listed}
    return {
        logical_id: {
            name: _reachable(name, value)
            for name, value in {
                **deployed[_name(properties)],
                **SHELLS,
                "AWS_LAMBDA_FUNCTION_NAME": _name(properties),  # SAM CLI would say its logical id
            }.items()
            if name != "PYTHONPATH"  # it leads to the sources
        }
        for logical_id, properties in functions(json.loads(source())).items()
    }


def localized(parameters: Mapping[str, str], variables: Environments, core: Path) -> dict[str, Any]:
    """`template.yaml` for this machine's processor, with these SSM parameters and the layer's code in `core`.

    Every function declares its variables: `sam local` sets none that the template does not name.
    """

    def parameter(found: "re.Match[str]") -> str:
        # What no function and no route asks for stays as it is, such as the key of the logs.
        return json.dumps(parameters.get(found[1], found[0]))[1:-1]

    template = for_this_machine(json.loads(PARAMETER.sub(parameter, source())))
    for logical_id, function in functions(template).items():
        function["Environment"]["Variables"] |= dict.fromkeys(variables[logical_id], "")
        # SAM CLI leaves out an authorizer whose name is a `!Sub`: it cannot follow the `!GetAtt` to it.
        function["FunctionName"] = _name(function)
    layers = {"CoreLayer": core, "DependenciesLayer": PACKAGES}
    for logical_id, folder in layers.items():
        template["Resources"][logical_id]["Properties"]["ContentUri"] = str(folder)
    return template


def for_this_machine(template: dict[str, Any]) -> dict[str, Any]:
    """The template with its functions on this machine's processor, and with paths that hold from anywhere."""
    architecture = ARCHITECTURES[platform.machine()]
    template["Globals"]["Function"]["Architectures"] = [architecture]
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for path in {"CodeUri", "ContentUri", "DefinitionUri"} & properties.keys():
            properties[path] = str(ROOT / properties[path])
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Metadata"]["BuildArchitecture"] = architecture
            properties["CompatibleArchitectures"] = [architecture]
    return template


def functions(template: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of every function by its logical id."""
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def _name(function: Mapping[str, Any]) -> str:
    named: str = function["FunctionName"]["Fn::Sub"]
    return named.replace("${Stage}", STAGE)


def _reachable(name: str, value: str) -> str:
    if name in TOLD_TO_CLIENTS:
        return value
    if name == "WEB3AUTH_ISSUERS":  # a token names its issuer, which only has to be the same
        issuers = json.loads(value)
        return json.dumps([{**each, "jwks_url": _reachable("", each["jwks_url"])} for each in issuers])
    return value.replace(LOOPBACK, bridge.HOST)
