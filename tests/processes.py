"""Looks at the processes of this machine, and holds them still."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's /proc")
LOOPBACK = "0100007F"
"""127.0.0.1 as /proc/net/tcp has it (https://docs.kernel.org/networking/proc_net_tcp.html)."""

_ESTABLISHED, _LISTENING, _UDP_UNCONNECTED = "01", "0A", "07"


class Socket(NamedTuple):
    """`local` is address and port in hexadecimal; `unread` says that bytes wait for the owner."""

    local: str
    state: str
    unread: bool


def descendants(ancestor: int) -> set[int]:
    """The process ids of all that a process has started, directly or not."""
    parents = {int(pid): int(parent) for pid, parent in _listed("pid=,ppid=")}
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {ancestor}} - found:
        found |= more
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those that still run; a zombie only waits for somebody to look at its exit status."""
    running = {int(pid) for pid, state in _listed("pid=,stat=") if not state.startswith("Z")}
    return running & set(pids)


def listening(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Address (in hexadecimal) and port of every socket on which these processes wait for strangers."""
    return {
        (address, int(port, 16))
        for pid in pids
        for socket in sockets(pid)
        if socket.state in {_LISTENING, _UDP_UNCONNECTED}
        for address, port in [socket.local.split(":")]
    }


def sockets(pid: int) -> list[Socket]:
    """The TCP and UDP sockets of a process."""
    inodes = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
            _, local, _, state, queues, *_, inode = line.split()[:10]
            if inode in inodes:
                found.append(Socket(local, state, unread=int(queues.partition(":")[2], 16) > 0))
    return found


@contextlib.contextmanager
def frozen(ancestor: int, variable: str) -> Iterator[set[int]]:
    """Hold still the descendants with this `NAME=value` in their environment, and give their ids."""
    pids = {pid for pid in descendants(ancestor) if variable in _environment(pid)}
    _signal(pids, signal.SIGSTOP)
    try:
        yield pids
    finally:
        _signal(pids, signal.SIGCONT)


def was_told_something(pids: Iterable[int]) -> bool:
    """Whether bytes have come in for one of these processes, which is too still to read them.

    A connection whose other end has closed has an unread end, which says nothing.
    """
    return any(socket.unread and socket.state == _ESTABLISHED for pid in pids for socket in sockets(pid))


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _listed(columns: str) -> list[list[str]]:
    listed = subprocess.run(
        ["ps", "-axo", columns],  # noqa: S607 its folder differs between systems
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in listed.stdout.splitlines()]


def _environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
