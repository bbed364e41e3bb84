"""What stands between `sam local` and the local stack, without a container. tests/sam has the containers."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local import sam
from local.bridge import bridged
from local.names import ROOT
from local.stack import Stack
from tests.processes import LINUX

OTHER_LOOPBACK = "127.0.0.2"
"""Plays the bridge's address."""


def start_api(directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "local.sam", "--directory", str(directory), "start-api"],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_docker_it_says_so_and_points_to_make_run(stack: Stack) -> None:
    done = start_api(stack.directory)
    assert done.returncode == 1
    assert "no Docker engine answers" in done.stderr
    assert "use `make run`, which serves the same without it" in done.stderr


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = start_api(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("stack.json: start the local stack with `make run`\n")


def test_functions_find_what_they_find_on_the_stack_by_the_name_that_containers_know(stack: Stack) -> None:
    found = sam.environments(stack.description)
    assert found["ApiFunction"]["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{stack.ports.aws}"
    assert found["ApiFunction"]["FRONTEND_URL"] == stack.frontend
    issuers = found["AuthorizerFunction"]["WEB3AUTH_ISSUERS"]
    assert f'"issuer": "{stack.web3auth}"' in issuers
    assert f'"jwks_url": "http://host.docker.internal:{stack.ports.web3auth}/jwks"' in issuers


def test_sam_cli_is_told_of_every_variable_and_keeps_the_authorizer(stack: Stack) -> None:
    found = sam.environments(stack.description)
    resources = sam.localized(stack.description, found)["Resources"]
    for logical_id, variables in found.items():
        function = resources[logical_id]["Properties"]
        assert variables.keys() <= function["Environment"]["Variables"].keys()
        assert isinstance(function["FunctionName"], str)
    allowed = resources["RestApi"]["Properties"]["Cors"]["AllowOrigin"]["Fn::Sub"].strip("'")
    assert allowed == found["ApiFunction"]["FRONTEND_ORIGIN"]
    assert stack.frontend.startswith(allowed)


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
def test_a_dead_program_behind_the_bridge_is_a_closed_connection() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def scenario() -> bytes:
        async with bridged(OTHER_LOOPBACK, [port]):
            reader, writer = await asyncio.open_connection(OTHER_LOOPBACK, port)
            heard = await reader.read()
            writer.close()
            return heard

    assert asyncio.run(scenario()) == b""
