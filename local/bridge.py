"""Lets containers in: what arrives at the address of Docker's bridge goes on to loopback, where the stack is.

Nothing else can reach that address, so that the stack stays as closed as without it. Docker Desktop needs no
such bridge: its containers reach the loopback of the machine by themselves.
"""

import asyncio
import contextlib
import errno
import functools
import ipaddress
import json
import subprocess
from collections.abc import AsyncIterator, Iterable

from local.process import StartError

HOST = "host.docker.internal"
"""The machine, as a container calls it."""

CHUNK_BYTES = 65_536
DOCKER_SECONDS = 30


def address() -> str:
    """The machine's address on the default bridge; raises `StartError` when no Docker engine answers."""
    try:
        asked = subprocess.run(
            ["docker", "network", "inspect", "bridge"],  # noqa: S607 its folder differs between systems
            capture_output=True,
            text=True,
            timeout=DOCKER_SECONDS,
            check=True,
        )
    except FileNotFoundError:
        reason = "there is no `docker` command"
    except subprocess.TimeoutExpired:
        reason = f"it is silent for {DOCKER_SECONDS} s"
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip()
    else:
        (network,) = json.loads(asked.stdout)
        pool = network["IPAM"]["Config"][0]
        # An engine that has not run a container yet does not name its gateway, which is the pool's first.
        return str(pool.get("Gateway") or ipaddress.ip_network(pool["Subnet"])[1])
    raise StartError(
        f"`sam local` runs functions in containers, and no Docker engine answers: {reason}\n"
        "Install or start Docker, or use `make run`, which serves the same without it."
    )


@contextlib.asynccontextmanager
async def bridged(bridge: str, ports: Iterable[int]) -> AsyncIterator[None]:
    """While it is entered, these ports of loopback are reachable at the bridge's address too.

    It may be entered by several programs at once. Raises `StartError` when somebody else listens there.
    """
    connections: set[asyncio.Task[None]] = set()

    def accept(port: int, caller: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(_forward(port, caller, answer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    async with contextlib.AsyncExitStack() as listening:
        try:
            for port in ports:
                accepting = functools.partial(accept, port)
                server = await asyncio.start_server(accepting, bridge, port, reuse_port=True)
                await listening.enter_async_context(server)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # Docker Desktop: the bridge is in another machine
                raise StartError(f"containers cannot be let in at {bridge}: {error}") from None
        yield
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _forward(port: int, caller: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    async with _closing(answer):
        try:
            answered, onward = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return  # the caller sees its connection closed, as by a program that has died
        async with _closing(onward):
            await asyncio.gather(_pass(caller, onward), _pass(answered, answer))


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
        target.write_eof()


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
