"""`make sam-api` and `make sam-invoke`: SAM CLI's own `sam local`, with Docker or without.

Where a Docker engine answers it is the plain command. Where none does, SAM CLI does the same with plain
processes instead of containers (local/sam_processes.py). Tables, queues, secrets, Stripe, Web3Auth and
Join&make are those of `make run`, which has to be up.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import requests

from local import bridge
from local.event import PAYMENTS, request
from local.names import AWS_CREDENTIALS, ROOT
from local.process import StartError
from local.running import SAM, described, directory_option
from local.sam import ENVIRONMENT, TEMPLATE, functions

PLAYER = "mike"
PLACE_OF_A_TOKEN = "PASTE.A.TOKEN"  # noqa: S105 the samples hold it where a token belongs

CREATING, CREATED = b"Mounting /", re.compile(rb"SAM_CONTAINER_ID: (\w+)")
"""What SAM CLI says before and after it has a container created."""

POLL_SECONDS = 0.05


def main() -> None:
    options = _options()
    try:
        stack = described(options.directory)
        folder = options.directory.resolve() / SAM
        command = ["local", *_subcommand(options, stack, folder)]
        sys.exit(_run([*_sam(options.directory), *command], _environment(stack)))
    except (StartError, requests.ConnectionError) as error:
        sys.exit(str(error))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="python -m local.sam_cli", description="`sam local` against the running local stack."
    )
    directory_option(options)
    commands = options.add_subparsers(dest="command", required=True)
    for command, port, served in (
        ("start-api", 3000, "every REST route"),
        ("start-lambda", 3001, "every function, for Lambda's own clients"),
    ):
        serving = commands.add_parser(command, help=f"serve {served}")
        serving.add_argument("--port", type=int, default=port, help="on 127.0.0.1 (default %(default)s)")
    invoke = commands.add_parser("invoke", help="call one function")
    invoke.add_argument("function", help="its folder in functions/, such as grant_items")
    invoke.add_argument("event", nargs="?", type=Path, help="default: its sample in events/")
    return options.parse_args()


def _subcommand(options: argparse.Namespace, stack: Mapping[str, str], folder: Path) -> Sequence[str]:
    told = [
        *("--config-file", str(ROOT / "samconfig.toml")),
        *("--template-file", str(folder / TEMPLATE)),
        *("--env-vars", str(folder / ENVIRONMENT)),
    ]
    if options.command != "invoke":
        return [options.command, *told, "--port", str(options.port)]
    folders = {
        Path(properties["CodeUri"]).name: logical_id
        for logical_id, properties in functions(json.loads((folder / TEMPLATE).read_text())).items()
    }
    if options.function not in folders:
        raise StartError(f"there is no function {options.function}; there are {', '.join(sorted(folders))}")
    ready = folder / "event.json"
    ready.write_text(event(options.event or ROOT / "events" / f"{options.function}.json", stack))
    return ["invoke", folders[options.function], *told, "--event", str(ready)]


def event(source: Path, stack: Mapping[str, str]) -> str:
    """A sample with a token in its place, a payment event signed just now, and any other file as it is."""
    try:
        written = source.read_text()
    except FileNotFoundError:
        raise StartError(f"there is no {source}") from None
    if source.resolve().parent == PAYMENTS:
        return json.dumps(request(json.loads(written), stack["webhook_secret"], int(time.time())))
    if PLACE_OF_A_TOKEN in written:
        written = written.replace(PLACE_OF_A_TOKEN, _token(stack))
    return written


def _token(stack: Mapping[str, str]) -> str:
    with requests.Session() as http:
        http.trust_env = False  # no proxy between programs of one machine
        return str(http.post(f"{stack['web3auth']}/token", json={"name": PLAYER}).json()["token"])


def _sam(directory: Path) -> Sequence[str]:
    """Choose how functions run, and say so; the `sam` that does it."""
    try:
        asyncio.run(bridge.address())
    except StartError as reason:
        print(f"Functions run as plain processes, on this Python: {reason}", file=sys.stderr, flush=True)
        return [sys.executable, "-m", "local.sam_processes", str(directory.resolve())]
    print("Functions run in containers of Lambda's image.", file=sys.stderr, flush=True)
    return [str(Path(sys.executable).with_name("sam"))]


def _environment(stack: Mapping[str, str]) -> Mapping[str, str]:
    """Without the developer's AWS: SAM CLI asks AWS whose credentials these are."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **AWS_CREDENTIALS,
        "AWS_ENDPOINT_URL": stack["aws"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run SAM CLI until it ends or this program is told to end; its exit status.

    A TERM to a group comes twice, the second time from make, and at the second SAM CLI leaves its containers.
    So it has a group of its own and is told once, not while it creates a container, which it would lose. What
    it leaves all the same is removed.
    """
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Only with a handler here does the child of a background job heed an interrupt.
        signal.signal(number, lambda number, _: told.append(number))
    containers: list[str] = []
    is_creating = threading.Event()
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True) as child:
        lines = threading.Thread(target=_pass_on, args=(child.stderr, is_creating, containers))
        lines.start()
        while child.poll() is None:
            time.sleep(POLL_SECONDS)
            if told and not is_creating.is_set():
                # `sam local invoke` removes its container at an interrupt alone.
                child.send_signal(signal.SIGINT if "invoke" in command else signal.SIGTERM)
                child.wait()
        lines.join()
    if told and containers:
        removal = ["docker", "rm", "--force", *containers]
        subprocess.run(removal, capture_output=True, check=False)  # it says which are gone already
    return child.returncode


def _pass_on(lines: IO[bytes], is_creating: threading.Event, containers: list[str]) -> None:
    """Show what SAM CLI says, and note the containers that it names."""
    for line in lines:
        sys.stderr.buffer.write(line)
        sys.stderr.flush()
        if line.startswith(CREATING):
            is_creating.set()
        else:
            is_creating.clear()
        if found := CREATED.match(line):
            containers.append(found[1].decode())


if __name__ == "__main__":
    main()
