"""The function that runs in this process: its settings are its environment."""

import os
from functools import cache
from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.adapters import Adapters
from nyanko.composition.clients import Clients
from nyanko.composition.telemetry import metric

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def adapters() -> Adapters:
    return Adapters(os.environ, aws_clients(), clock.now, lambda _: metric("StaleSecret"))


@cache
def aws_clients() -> Clients:
    def session() -> "Session":
        from botocore.session import get_session

        return get_session()

    return Clients(session)


def version() -> str:
    """What was deployed, such as a commit."""
    return os.environ.get("VERSION", "unreleased")


def frontend_origin() -> str:
    """The one origin whose pages may read the API's answers and open its WebSockets."""
    return os.environ.get("FRONTEND_ORIGIN", "")


def realtime_url() -> str:
    """Where clients open WebSockets."""
    return os.environ["REALTIME_URL"]
