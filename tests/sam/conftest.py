"""`sam local`, as its make targets run it, beside the tests' own stack."""

import copy
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from local import bridge
from local.names import ROOT
from local.process import StartError
from local.stack import Stack
from tests.e2e.shop import Player, Shop

START_SECONDS = 240
"""Building layers and functions and laying them into an image takes most of it."""

Invoke = Callable[[str], Any]


@pytest.fixture(scope="session")
def docker() -> None:
    try:
        bridge.address()
    except StartError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def sam_api(docker: None, stack: Stack) -> Iterator[str]:  # noqa: ARG001 nothing is started without it
    """The URL of `make sam-api`, which has built on the way."""
    with serving(stack, "start-api") as url:
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


@pytest.fixture(scope="session")
def sam_invoke(stack: Stack, sam_api: str) -> Invoke:  # noqa: ARG001 takes what that has built
    """What `make sam-invoke` tells of a function and its sample."""

    def invoke(folder: str) -> Any:
        done = subprocess.run(
            [*sam(stack, "--built"), "invoke", folder], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        (answer,) = (value for value in _values(done.stdout) if "_aws" not in value)
        return answer

    return invoke


def _values(text: str) -> Iterator[Any]:
    """An answer and the metrics of a function come out in any order, and not always on lines of their own."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        text = text[end:]
        yield value


def sam(stack: Stack, *options: str) -> list[str]:
    return [sys.executable, "-m", "local.sam", "--directory", str(stack.directory), *options]


@contextmanager
def serving(stack: Stack, command: str, *options: str) -> Iterator[str]:
    """`sam local start-…` on a free port of loopback, from its first answer on; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = stack.directory / "logs" / f"{command}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [*sam(stack, *options), command, "--port", str(port)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(url):
            assert child.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        yield url
    finally:
        child.terminate()
        child.wait()


def _listens(url: str) -> bool:
    with urllib3.PoolManager(retries=False) as http:
        try:
            http.request("GET", f"{url}/")
        except urllib3.exceptions.HTTPError:
            return False
    return True
