"""One program of the stack: started, awaited, started again when it dies, and stopped with all it started."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import requests

from local.names import ROOT

START_SECONDS = 30
POLL_SECONDS = 0.02
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")
"""What a program sees of the developer's environment: no AWS profile, no credentials and no proxy."""

logger = logging.getLogger(__name__)


class StartError(Exception):
    """The stack or a part of it could not start; the message says why and what to do."""


class Process:
    """A module of this project, run by `local.child` in a process group of its own.

    `health` is a URL that answers 200 once the program serves. All its files are in `directory`, its output
    in `logs/<name>.log` there. `on_restart` is called when the program died and serves again: whatever it
    kept in memory is gone by then.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        health: str,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.log = directory / "logs" / f"{name}.log"
        self._command = [sys.executable, "-m", "local.child", *command]
        self._health = health
        self._environment = {
            **{variable: os.environ[variable] for variable in INHERITED if variable in os.environ},
            "HOME": str(directory),
            "TMPDIR": str(directory / "tmp"),
            **(environment or {}),
        }
        self._on_restart = on_restart
        self._stopping = threading.Event()
        self._spawning = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name=f"watch {name}", daemon=True)
        self._child: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        """Start the program without waiting for it."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_health(self) -> None:
        """Return once the program serves; raises `StartError` when it ended or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        with requests.Session() as http:
            http.trust_env = False
            while time.monotonic() < deadline:
                if self._child.poll() is not None:
                    raise StartError(
                        f"{self.name} ended with {self._child.returncode}:\n{self._last_lines()}"
                    )
                with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                    if http.get(self._health, timeout=1).ok:
                        return
                time.sleep(POLL_SECONDS)
        raise StartError(
            f"{self.name} did not answer {self._health} in {START_SECONDS} s:\n{self._last_lines()}"
        )

    def keep_alive(self) -> None:
        """From now on start the program again whenever it ends."""
        self._watcher.start()

    def stop(self) -> None:
        """End the program and all it started, at once: nothing is kept that would have to be saved."""
        self._stopping.set()
        with self._spawning:
            end_group(self._child)
        if self._watcher.is_alive():
            self._watcher.join()

    def _watch(self) -> None:
        while True:
            code = self._child.wait()
            with self._spawning:
                if self._stopping.is_set():
                    return
                logger.warning("%s ended with %s and is started again; see %s", self.name, code, self.log)
                end_group(self._child)
                self.start()
            try:
                self.await_health()
                self._on_restart()
            except Exception:
                if self._stopping.is_set():
                    return
                logger.exception("%s was started again in vain; restart the stack", self.name)
                return

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def end_group(child: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started, and let go of its leash."""
    # macOS answers PermissionError when only a zombie is left of the group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin is not None:
        child.stdin.close()
