"""`sam local` beside a stack: the plain commands in containers, and without Docker what make runs."""

import asyncio
import copy
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from local import bridge, sam_cli
from local.names import ROOT
from local.process import StartError
from local.stack import Ports, Stack
from tests import template
from tests.e2e.shop import Player, Shop

START_SECONDS = 240
"""Laying the layers into an image takes most of it."""

NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent"}
OF_THE_SHELL = {
    "AWS_ACCESS_KEY_ID": "AKIAOFTHEDEVELOPER00",
    "AWS_SECRET_ACCESS_KEY": "of the developer",
    "AWS_SESSION_TOKEN": "of the developer",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",  # SAM CLI looks in vain for a region that there is not
    "SAM_CLI_TELEMETRY": "0",
}
"""A shell that could reach AWS: none of it may come through to a function."""

BY_PROCESSES, IN_CONTAINERS = "processes", "containers"
WAYS = [BY_PROCESSES, pytest.param(IN_CONTAINERS, marks=pytest.mark.slow)]


@dataclass(frozen=True)
class Sam:
    """One way to run `sam local`; `project` is a folder with a `.local` where samconfig.toml looks for it."""

    way: str
    stack: Stack
    project: Path

    def command(self, name: str, *arguments: str) -> list[str]:
        if self.way == IN_CONTAINERS:
            return [str(sam()), "local", name, *arguments]
        directory = ("--directory", str(self.stack.directory))
        return [sys.executable, "-m", "local.sam_cli", *directory, name, *arguments]

    @property
    def environment(self) -> Mapping[str, str]:
        no_engine = NO_ENGINE if self.way == BY_PROCESSES else {}
        return {**os.environ, **OF_THE_SHELL, **no_engine}

    def invoke(self, folder: str, event: Path) -> Any:
        """What is told of a function and a file of events/."""
        name, path = folder, event
        if self.way == IN_CONTAINERS:
            name, path = template.functions()[folder].logical_id, event.relative_to(ROOT)
            ready = sam_cli.event(event, self.stack.description)
            if ready != event.read_text():  # it wants a token, or a signature of now
                path = self.project / "event.json"
                path.write_text(ready)
            arguments = [name, "-e", str(path)]
        else:
            arguments = [name, str(path)]
        done = subprocess.run(
            self.command("invoke", *arguments),
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers = [value for value in _values(done.stdout) if "_aws" not in value]
        assert len(answers) == 1, done.stdout + done.stderr
        return answers[0]

    @contextmanager
    def serving(self, name: str) -> Iterator[str]:
        """`sam local start-…` on a free port of loopback, from its first answer on; gives its URL."""
        port = free_port()
        log = self.stack.directory / "logs" / f"{name}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                self.command(name, "--port", str(port)),
                cwd=self.project,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield await_url(child, port, log)
        finally:
            child.terminate()
            child.wait()


def sam() -> Path:
    return Path(sys.executable).with_name("sam")


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if chosen == IN_CONTAINERS:
        require_engine()
    return chosen


@pytest.fixture(scope="session")
def stack(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: ARG001 one for each
    """A stack as `make run` leaves it, but for what test_invoke.py adds: nobody else is to meet that."""
    running = Stack(Ports.free(), tmp_path_factory.mktemp("stack"))
    with running, bridge.let_in(running.ports.of_functions):
        yield running


def require_engine() -> None:
    try:
        asyncio.run(bridge.address())
    except StartError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def sam_local(way: str, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Sam:
    project = tmp_path_factory.mktemp("project")
    (project / ".local").symlink_to(stack.directory)
    for name in ("samconfig.toml", "events"):
        (project / name).symlink_to(ROOT / name)
    return Sam(way, stack, project)


@pytest.fixture(scope="session")
def sam_api(sam_local: Sam) -> Iterator[str]:
    """The URL of `sam local start-api`."""
    with sam_local.serving("start-api") as url:
        yield url


@pytest.fixture(scope="session")
def shop(stack: Stack, sam_api: str) -> Iterator[Shop]:
    """Everybody who touches the stack from outside, through `sam local` instead of the stack's own API."""
    through_sam = copy.copy(stack)
    through_sam.api = sam_api
    shop = Shop(through_sam)
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def player(shop: Shop) -> Player:
    return Player(shop, "mike")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def await_url(child: "subprocess.Popen[bytes]", port: int, log: Path) -> str:
    """Where it serves, once it does."""
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while not _listens(url):
        assert child.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)
    return url


def _listens(url: str) -> bool:
    with urllib3.PoolManager(retries=False) as http:
        try:
            http.request("GET", f"{url}/")
        except urllib3.exceptions.HTTPError:
            return False
    return True


def _values(text: str) -> Iterator[Any]:
    """An answer and the metrics of a function come out in any order, and not always on lines of their own."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        text = text[end:]
        yield value
