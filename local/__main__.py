"""`make run`: the whole system on this machine until Ctrl-C."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from local import bridge
from local.names import ROOT
from local.process import StartError
from local.stack import Ports, Stack

PORT_BASE = 4570
FIRST_PORT, LAST_PORT_BASE = 1024, 65530


def main() -> None:
    options = _options()
    logging.basicConfig(format="%(message)s")
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    try:
        with (
            Stack(Ports.from_base(options.port_base), options.directory, options.frontend) as stack,
            bridge.let_in(stack.ports.of_functions),
        ):
            print(_welcome(stack), flush=True)
            threading.Event().wait()
    except StartError as error:
        sys.exit(f"The local stack did not start: {error}")
    except KeyboardInterrupt:
        print("stopped")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="python -m local", description="Run the whole system on this machine."
    )
    options.add_argument(
        "--port-base",
        type=_port_base,
        default=os.environ.get("NYANKO_PORT_BASE", str(PORT_BASE)),
        help="the first of six ports in a row (NYANKO_PORT_BASE, default %(default)s)",
    )
    options.add_argument(
        "--directory",
        type=Path,
        default=os.environ.get("NYANKO_LOCAL_DIR", str(ROOT / ".local")),
        help="where stack.json and logs go (NYANKO_LOCAL_DIR, default .local)",
    )
    options.add_argument(
        "--frontend",
        default=os.environ.get("NYANKO_FRONTEND_URL"),
        help="where Checkout sends players back to (NYANKO_FRONTEND_URL, default: the shop)",
    )
    return options.parse_args()


def _port_base(text: str) -> int:
    if not (text.isdecimal() and FIRST_PORT <= int(text) <= LAST_PORT_BASE):
        raise argparse.ArgumentTypeError(
            f"NYANKO_PORT_BASE must be a port from {FIRST_PORT} to {LAST_PORT_BASE}, not {text!r}"
        )
    return int(text)


def _welcome(stack: Stack) -> str:
    return f"""\
The stack is up; Ctrl-C stops it. What it knows is gone then.

  shop            {stack.web}
  api             {stack.api}
  WebSocket       {stack.ws}
  Stripe          {stack.stripe}
  Web3Auth        {stack.web3auth}
  Join&make       {stack.joinmake}
  AWS             {stack.aws}  (Step Functions: {stack.stepfunctions})
  logs            {stack.directory / "logs"}

Sign in as mike and look around:

  TOKEN=$(curl -s {stack.web3auth}/token -d name=mike |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
  curl -s {stack.api}/products
  curl -s {stack.api}/inventory -H "Authorization: Bearer $TOKEN"

Beside it run sam local invoke, start-api and start-lambda, or make sam-invoke and sam-api without Docker.
"""


if __name__ == "__main__":
    main()
