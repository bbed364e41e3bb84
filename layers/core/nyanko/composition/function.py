"""The function that runs in this process: its settings are its environment."""

import os
from functools import cache

from nyanko.composition import clients, clock
from nyanko.composition.adapters import Adapters
from nyanko.composition.telemetry import metric


@cache
def adapters() -> Adapters:
    return Adapters(os.environ, aws_clients(), clock.now, lambda _: metric("StaleSecret"))


@cache
def aws_clients() -> clients.Clients:
    return clients.of_this_process()


def version() -> str:
    """What was deployed, such as a commit."""
    return os.environ.get("VERSION", "unreleased")


def frontend_origin() -> str:
    """The one origin whose pages may read the API's answers and open its WebSockets."""
    return os.environ.get("FRONTEND_ORIGIN", "")


def realtime_url() -> str:
    """Where clients open WebSockets."""
    return os.environ["REALTIME_URL"]
