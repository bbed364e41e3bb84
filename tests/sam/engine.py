"""`python -m tests.sam.engine COMMAND …` runs a command beside a Docker engine.

If none answers, root on Debian gets one for as long as the command takes: docker.io is installed, a `dockerd`
with a socket and a data folder of its own is started, and Lambda's base image is made in it. An engine that
cannot start is no failure: the reason is printed, the command runs all the same, and its tests skip with the
reason.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sam import base_image

START_SECONDS = 60
POLL_SECONDS = 0.2


class NoEngine(Exception):
    """No Docker engine can be had; the message says why."""


def main() -> None:
    command = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the daemon ends with this program
    try:
        with engine() as environment:
            sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    except NoEngine as reason:
        print(f"there is no Docker engine, and what needs one is skipped: {reason}", flush=True)
        sys.exit(subprocess.run(command, check=False).returncode)


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """The environment in which an engine answers that has Lambda's base image; raises `NoEngine`."""
    if _answers(dict(os.environ)):
        yield dict(os.environ)
        return
    with tempfile.TemporaryDirectory(prefix="nyanko-docker-") as name:
        folder = Path(name)
        environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}
        daemon = _start(folder, environment)
        try:
            _await(daemon, folder, environment)
            interpreter = base_image.python()
            if interpreter is None:
                raise NoEngine(f"its image is made of Python {base_image.PYTHON}, which is not installed")
            base_image.build(interpreter, folder, environment)
            print(f"{base_image.TAG} is in a Docker engine of its own", flush=True)
            yield environment
        finally:
            daemon.terminate()
            daemon.wait()


def _start(folder: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    if os.geteuid() != 0:
        raise NoEngine("only root can start one")
    if shutil.which("dockerd") is None:
        _install()
    flags = {"host": environment["DOCKER_HOST"], "data-root": folder / "data", "exec-root": folder / "exec"}
    flags["pidfile"] = folder / "pid"
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["dockerd", *(f"--{flag}={value}" for flag, value in flags.items())],  # noqa: S607 Debian's
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _install() -> None:
    if shutil.which("apt-get") is None:
        raise NoEngine("it is not installed, and this is not Debian")
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "docker.io", "iptables"]):
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments],  # noqa: S607 Debian's
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},  # starts no service
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NoEngine(f"Debian's docker.io cannot be installed: {done.stderr.strip()}")


def _await(daemon: "subprocess.Popen[bytes]", folder: Path, environment: dict[str, str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(environment):
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = "\n".join((folder / "log").read_text(errors="replace").splitlines()[-5:])
            raise NoEngine(f"dockerd does not start:\n{last}")
        time.sleep(POLL_SECONDS)


def _answers(environment: dict[str, str]) -> bool:
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(asked, env=environment, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
