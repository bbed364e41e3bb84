"""`make sam-api` and `make sam-invoke`: SAM CLI's own `sam local`, its functions at home in the local stack.

The functions are the ones that `sam build` makes, in Lambda's image; tables, queues, secrets, Stripe,
Web3Auth and Join&make are those of `make run`, which has to be up. What a function finds in its environment
is asked of the stack, so that both ways to run it say the same.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import EndpointConnectionError
from samtranslator.yaml_helper import yaml_parse

from local import aws, bridge
from local.names import AWS_CREDENTIALS, REGION, ROOT, STAGE
from local.process import StartError
from local.stack import DESCRIPTION

Environments = Mapping[str, Mapping[str, str]]
"""By a function's logical id: what it finds in its environment."""

PLAYER = "mike"
PLACE_OF_A_TOKEN = "PASTE.A.TOKEN"  # noqa: S105 the samples hold it where a token belongs
LOOPBACK = "127.0.0.1"
PROGRAMS = ("aws", "stepfunctions", "stripe", "web3auth", "joinmake")
"""Whom the functions speak to."""

TOLD_TO_CLIENTS = {"FRONTEND_URL", "FRONTEND_ORIGIN", "REALTIME_URL"}
"""Variables whose URLs are handed on to browsers, which know the stack by its own name."""

PARAMETER = re.compile(r"\{\{resolve:ssm:/\$\{Stage\}/jm_nyanko/(\w+)\}\}")
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
BUILD = ("build", "--cached", "--parallel")
LOCAL = (
    *("--env-vars", "env.json"),
    *("--parameter-overrides", f"Stage={STAGE}", "--region", REGION),
    *("--add-host", f"{bridge.HOST}:host-gateway"),
    "--skip-pull-image",
)
SAM = Path(sys.executable).with_name("sam")


def main() -> None:
    options = _options()
    try:
        stack = described(options.directory)
        address = bridge.address()
        folder = options.directory.resolve() / "sam"
        write(folder, stack)
        build = [] if options.built else [BUILD]
        local = ["local", *_subcommand(options, stack, folder), *LOCAL]
        sys.exit(asyncio.run(_run(stack, address, folder, [*build, local])))
    except EndpointConnectionError as error:
        sys.exit(f"the local stack does not answer; start it with `make run`: {error}")
    except StartError as error:
        sys.exit(str(error))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="python -m local.sam", description="`sam local` against the running local stack."
    )
    directory_option(options)
    options.add_argument("--built", action="store_true", help="take what was built last")
    commands = options.add_subparsers(dest="command", required=True)
    for command, port, served in (
        ("start-api", 3000, "every REST route"),
        ("start-lambda", 3001, "every function, for Lambda's own clients"),
    ):
        serving = commands.add_parser(command, help=f"serve {served}")
        serving.add_argument("--port", type=int, default=port, help="on 127.0.0.1 (default %(default)s)")
    invoke = commands.add_parser("invoke", help="call one function")
    invoke.add_argument("function", help="its folder in functions/, such as grant_items")
    invoke.add_argument("event", nargs="?", type=Path, help="default: its sample in events/")
    return options.parse_args()


def directory_option(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--directory",
        type=Path,
        default=os.environ.get("NYANKO_LOCAL_DIR", str(ROOT / ".local")),
        help="where the stack's stack.json is (NYANKO_LOCAL_DIR, default .local)",
    )


def described(directory: Path) -> Mapping[str, str]:
    """What the running stack says of itself; raises `StartError` when there is none."""
    description = directory / DESCRIPTION
    try:
        found: dict[str, str] = json.loads(description.read_text())
    except FileNotFoundError:
        raise StartError(f"there is no {description}: start the local stack with `make run`") from None
    return found


def write(folder: Path, stack: Mapping[str, str]) -> None:
    """Put what `sam` is to read into the folder."""
    variables = environments(stack)
    folder.mkdir(exist_ok=True)
    (folder / "template.json").write_text(json.dumps(localized(stack, variables), indent=2))
    (folder / "env.json").write_text(json.dumps(variables, indent=2))


def environments(stack: Mapping[str, str]) -> Environments:
    """What the functions of the stack find in their environment, as containers reach it."""
    listed = aws.client("lambda", stack["aws"]).list_functions()["Functions"]
    deployed = {function["FunctionName"]: function["Environment"]["Variables"] for function in listed}
    template = yaml_parse((ROOT / "template.yaml").read_text())
    return {
        logical_id: {
            name: _reachable(name, value)
            for name, value in deployed[_name(properties)].items()
            if name != "PYTHONPATH"  # it leads to the sources
        }
        for logical_id, properties in _functions(template).items()
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


def localized(stack: Mapping[str, str], variables: Environments) -> dict[str, Any]:
    """`template.yaml` for this machine's processor, its parameters read from the stack.

    Every function declares its variables: `sam local` sets none that the template does not name.
    """
    ssm = aws.client("ssm", stack["aws"])

    def parameter(found: "re.Match[str]") -> str:
        try:
            value = ssm.get_parameter(Name=f"/{STAGE}/jm_nyanko/{found[1]}")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return found[0]  # only what this stage does not have asks for it
        return json.dumps(value)[1:-1]

    source = json.dumps(yaml_parse((ROOT / "template.yaml").read_text()))
    template: dict[str, Any] = json.loads(PARAMETER.sub(parameter, source))
    for logical_id, function in _functions(template).items():
        function["Environment"]["Variables"] |= dict.fromkeys(variables[logical_id], "")
        # SAM CLI leaves out an authorizer whose name is a `!Sub`: it cannot follow the `!GetAtt` to it.
        function["FunctionName"] = _name(function)
    return for_this_machine(template)


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


def _functions(template: Mapping[str, Any]) -> dict[str, Any]:
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def _subcommand(options: argparse.Namespace, stack: Mapping[str, str], folder: Path) -> Sequence[str]:
    if options.command != "invoke":
        return [options.command, "--port", str(options.port), "--warm-containers", "LAZY"]
    folders = {
        Path(properties["CodeUri"]).name: logical_id
        for logical_id, properties in _functions(json.loads((folder / "template.json").read_text())).items()
    }
    if options.function not in folders:
        raise StartError(f"there is no function {options.function}; there are {', '.join(sorted(folders))}")
    source = options.event or ROOT / "events" / f"{options.function}.json"
    try:
        event = source.read_text()
    except FileNotFoundError:
        raise StartError(f"there is no {source}") from None
    if PLACE_OF_A_TOKEN in event:
        event = event.replace(PLACE_OF_A_TOKEN, _token(stack))
    (folder / "event.json").write_text(event)
    return ["invoke", folders[options.function], "--event", "event.json"]


def _token(stack: Mapping[str, str]) -> str:
    with requests.Session() as http:
        http.trust_env = False  # no proxy between programs of one machine
        return str(http.post(f"{stack['web3auth']}/token", json={"name": PLAYER}).json()["token"])


async def _run(
    stack: Mapping[str, str], address: str, folder: Path, commands: Sequence[Sequence[str]]
) -> int:
    """Run `sam` with these, one after the other, until one fails; the last exit status."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **AWS_CREDENTIALS,
        # It asks AWS whose credentials these are.
        "AWS_ENDPOINT_URL": stack["aws"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
    }
    ports = [int(stack[program].rpartition(":")[2]) for program in PROGRAMS]
    status = 0
    async with bridge.bridged(address, ports):
        for command in commands:
            status = status or await _sam(command, folder, environment)
    return status


async def _sam(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run it there; whoever asks this program to end asks `sam`."""
    child = await asyncio.create_subprocess_exec(SAM, *arguments, cwd=folder, env=environment)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, child.terminate)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the terminal has told it already
    return await child.wait()


if __name__ == "__main__":
    main()
