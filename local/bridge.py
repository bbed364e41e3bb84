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
import logging
import subprocess
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from local.process import StartError

HOST = "host.docker.internal"
"""The machine, as a container calls it."""

CHUNK_BYTES = 65_536
DOCKER_SECONDS = 30
POLL_SECONDS = 5.0
"""How long an engine may answer before its containers are let in."""

logger = logging.getLogger(__name__)


async def address() -> str:
    """The machine's address on the default bridge; raises `StartError` when no Docker engine answers."""
    try:
        asked = await asyncio.create_subprocess_exec(
            *("docker", "network", "inspect", "bridge"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise StartError("there is no `docker` command") from None
    try:
        answer, refusal = await asyncio.wait_for(asked.communicate(), DOCKER_SECONDS)
    except TimeoutError:
        raise StartError(f"the Docker engine is silent for {DOCKER_SECONDS} s") from None
    finally:
        if asked.returncode is None:
            asked.kill()
            await asked.wait()
    if asked.returncode != 0:
        raise StartError(f"no Docker engine answers: {refusal.decode().strip()}")
    (network,) = json.loads(answer)
    pool = network["IPAM"]["Config"][0]
    # An engine that has not run a container yet does not name its gateway, which is the pool's first.
    return str(pool.get("Gateway") or ipaddress.ip_network(pool["Subnet"])[1])


@contextlib.contextmanager
def let_in(ports: Sequence[int]) -> Iterator[None]:
    """While it is entered, containers reach these ports of loopback, from when a Docker engine answers on."""
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(_let_in(ports))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(waiting)

    thread = threading.Thread(target=run, name="bridge", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(waiting.cancel)
        thread.join()
        loop.close()


async def _let_in(ports: Sequence[int]) -> None:
    try:
        async with bridged(await _address_of_first_engine(), ports):
            await asyncio.Event().wait()
    except StartError as reason:
        logger.warning("%s", reason)


async def _address_of_first_engine() -> str:
    while True:
        try:
            return await address()
        except StartError:
            await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def bridged(bridge: str, ports: Iterable[int]) -> AsyncIterator[None]:
    """While it is entered, these ports of loopback are reachable at the bridge's address too.

    Raises `StartError` when somebody else listens there.
    """
    connections: set[asyncio.Task[None]] = set()

    def accept(port: int, caller: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(_forward(port, caller, answer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)
        connection.add_done_callback(lambda _: answer.close())  # also if it ends before it has begun

    async with contextlib.AsyncExitStack() as listening:
        try:
            for port in ports:
                accepting = functools.partial(accept, port)
                server = await asyncio.start_server(accepting, bridge, port)
                await listening.enter_async_context(server)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # Docker Desktop: the bridge is in another machine
                raise StartError(f"containers cannot be let in at {bridge}: {error}") from None
        try:
            yield
        finally:
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
