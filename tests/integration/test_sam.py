"""What stands between `sam local` and the local stack, without a container. tests/sam has the containers."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from samcli.commands.local.cli_common.invoke_context import InvokeContext
from samcli.local.lambdafn.env_vars import EnvironmentVariables

from local import bridge, sam, sam_processes
from local.bridge import bridged
from local.names import ROOT
from local.process import StartError
from local.running import SAM
from local.stack import Ports, Stack
from tests.e2e.shop import eventually
from tests.processes import LINUX

OTHER_LOOPBACK = "127.0.0.2"
"""Plays the bridge's address."""


def start_api(directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "local.sam_cli", "--directory", str(directory), *arguments],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = start_api(tmp_path, "start-api")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("stack.json: start the local stack with `make run`\n")


def test_a_function_and_a_file_that_are_not_there_are_named(stack: Stack) -> None:
    done = start_api(stack.directory, "invoke", "grant_cats")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("there is no function grant_cats; there are api, authorizer, grant_items,")
    done = start_api(stack.directory, "invoke", "grant_items", "events/none.json")
    assert (done.returncode, done.stderr) == (1, "there is no events/none.json\n")


@pytest.mark.parametrize("name", sam_processes.REPLACED)
def test_a_sam_cli_that_works_otherwise_is_named_with_the_way_out(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(InvokeContext, name)
    with pytest.raises(StartError, match=rf"SAM CLI \d.*InvokeContext\.{name} .*requirements.txt.*Docker"):
        sam_processes.install(tmp_path)


def test_a_stack_that_ends_takes_along_what_sam_local_reads(stack: Stack, tmp_path: Path) -> None:
    assert {path.name for path in (stack.directory / SAM).iterdir()} >= {"template.json", "env.json", "core"}
    with Stack(Ports.free(), tmp_path):
        assert (tmp_path / SAM / "template.json").exists()
    assert not (tmp_path / SAM).exists()


def test_functions_find_what_they_find_on_the_stack_by_the_name_that_containers_know(stack: Stack) -> None:
    found = sam.environments(stack.aws)
    assert found["ApiFunction"]["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{stack.ports.aws}"
    assert found["ApiFunction"]["FRONTEND_URL"] == stack.frontend
    issuers = found["AuthorizerFunction"]["WEB3AUTH_ISSUERS"]
    assert f'"issuer": "{stack.web3auth}"' in issuers
    assert f'"jwks_url": "http://host.docker.internal:{stack.ports.web3auth}/jwks"' in issuers


def test_sam_cli_is_told_of_every_variable_and_keeps_the_authorizer(stack: Stack) -> None:
    found = json.loads((stack.directory / SAM / "env.json").read_text())
    resources = json.loads((stack.directory / SAM / "template.json").read_text())["Resources"]
    for logical_id, variables in found.items():
        function = resources[logical_id]["Properties"]
        assert variables.keys() <= function["Environment"]["Variables"].keys()
        assert isinstance(function["FunctionName"], str)
    allowed = resources["RestApi"]["Properties"]["Cors"]["AllowOrigin"]["Fn::Sub"].strip("'")
    assert allowed == found["ApiFunction"]["FRONTEND_ORIGIN"]
    assert stack.frontend.startswith(allowed)


def test_no_function_has_anything_of_the_shell(stack: Stack) -> None:
    """SAM CLI's own class puts an environment together, in a shell that could reach AWS."""
    resources = json.loads((stack.directory / SAM / "template.json").read_text())["Resources"]
    theirs = {"key": "AKIAREAL", "secret": "real", "sessiontoken": "real", "region": "us-east-1"}
    shell = {f"AWS_{name}": "real" for name in ("ENDPOINT_URL", "ENDPOINT_URL_SFN", "SESSION_TOKEN")}
    for logical_id, told in sam.environments(stack.aws).items():
        declared = resources[logical_id]["Properties"]["Environment"]["Variables"]
        variables = EnvironmentVariables(
            logical_id, 512, 15, "app.lambda_handler", None, declared, shell, told, theirs
        ).resolve()
        assert not {"real", "AKIAREAL", "us-east-1"} & {*variables.values()}
        assert variables["AWS_ENDPOINT_URL"].startswith(f"http://{bridge.HOST}:")
        assert (variables["AWS_SESSION_TOKEN"], variables["AWS_EC2_METADATA_DISABLED"]) == ("", "true")


@LINUX
def test_what_arrives_at_the_bridge_goes_on_to_loopback_and_back() -> None:
    async def shout(caller: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        answer.write((await caller.read()).upper())
        answer.close()
        await answer.wait_closed()

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection(OTHER_LOOPBACK, port)
        writer.write("にゃん nyan".encode())
        writer.write_eof()
        heard = await reader.read()
        writer.close()
        await writer.wait_closed()
        return heard

    async def scenario() -> bytes:
        async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionRefusedError):
                await ask(port)
            async with bridged(OTHER_LOOPBACK, [port]):
                return await ask(port)

    assert asyncio.run(scenario()).decode() == "にゃん NYAN"


@LINUX
def test_containers_are_let_in_once_an_engine_answers_and_as_long_as_the_stack_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def address() -> str:
        asked.append("engine")
        if len(asked) == 1:
            raise StartError("no Docker engine answers yet")
        return OTHER_LOOPBACK

    monkeypatch.setattr(bridge, "address", address)
    monkeypatch.setattr(bridge, "POLL_SECONDS", 0.01)
    port = dead_port()
    with bridge.let_in([port]):
        assert eventually(lambda: is_let_in(port), bool)
    assert not is_let_in(port)
    assert len(asked) == 2


def is_let_in(port: int) -> bool:
    """Whether the bridge takes a connection; behind it nobody listens."""
    try:
        with socket.create_connection((OTHER_LOOPBACK, port)) as connection:
            return connection.recv(1) == b""
    except ConnectionRefusedError:
        return False


def dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@LINUX
def test_a_dead_program_behind_the_bridge_is_a_closed_connection() -> None:
    port = dead_port()

    async def scenario() -> bytes:
        async with bridged(OTHER_LOOPBACK, [port]):
            reader, writer = await asyncio.open_connection(OTHER_LOOPBACK, port)
            heard = await reader.read()
            writer.close()
            return heard

    assert asyncio.run(scenario()) == b""
