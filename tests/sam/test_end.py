"""A TERM to the group of `make sam-api` or `make sam-invoke`, as CI jobs send it, leaves nothing running."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from local.names import ROOT
from tests.processes import alive, descendants
from tests.sam.conftest import IN_CONTAINERS, Sam, await_url, free_port

pytestmark = pytest.mark.timeout(600)

PATIENCE_SECONDS = 60


def made(sam_local: Sam, log: Path, *target: str) -> "subprocess.Popen[bytes]":
    """A make target in a process group of its own."""
    with log.open("wb") as out:
        return subprocess.Popen(
            ["make", *target],  # noqa: S607 whichever make there is
            cwd=ROOT,
            env={
                **sam_local.environment,
                "MAKEFLAGS": "",
                "NYANKO_LOCAL_DIR": str(sam_local.stack.directory),
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def running(sam_local: Sam, ancestor: int) -> set[str]:
    """The functions that run: ids of containers, or of processes that `ancestor` has started."""
    if sam_local.way == IN_CONTAINERS:
        listed = subprocess.run(
            ["docker", "ps", "--all", "--quiet"],  # noqa: S607 its folder differs between systems
            capture_output=True,
            text=True,
            check=True,
        )
        return set(listed.stdout.split())
    return {str(pid) for pid in descendants(ancestor) if b"local.function" in _command(pid)}


def _command(pid: int) -> bytes:
    done = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)],  # noqa: S607 its folder differs between systems
        capture_output=True,
        check=False,
    )
    return done.stdout


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ends(sam_local: Sam, child: "subprocess.Popen[bytes]", before: set[str]) -> bool:
    """Tell the group to end, and whether nothing is left of it."""
    started = descendants(child.pid)
    functions = running(sam_local, child.pid) - before
    os.killpg(child.pid, signal.SIGTERM)
    child.wait()

    def is_gone() -> bool:
        left = (
            running(sam_local, child.pid) if sam_local.way == IN_CONTAINERS else set(map(str, alive(started)))
        )
        return not functions & left and not alive(started)

    return eventually(is_gone)


def test_sam_api_leaves_nothing(sam_local: Sam, tmp_path: Path) -> None:
    before = running(sam_local, os.getpid())
    port, log = free_port(), tmp_path / "log"
    child = made(sam_local, log, "sam-api", f"PORT={port}")
    url = await_url(child, port, log)
    with urllib3.PoolManager(retries=False) as http:
        assert http.request("GET", f"{url}/health").status == 200
    assert running(sam_local, child.pid) - before
    assert ends(sam_local, child, before), log.read_text()
    assert f"Functions run {'in' if sam_local.way == IN_CONTAINERS else 'as'} " in log.read_text()


def test_sam_invoke_leaves_nothing(sam_local: Sam, tmp_path: Path) -> None:
    before = running(sam_local, os.getpid())
    log = tmp_path / "log"
    child = made(sam_local, log, "sam-invoke", "FUNCTION=reconcile")
    assert eventually(lambda: bool(running(sam_local, child.pid) - before) or child.poll() is not None)
    assert child.poll() is None, log.read_text()
    assert ends(sam_local, child, before), log.read_text()
