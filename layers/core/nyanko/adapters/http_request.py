"""One HTTP request to a service that has no SDK here: no redirect, no retry, bounded in time and in size."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

MAX_BYTES = 64 * 1024


class Unreachable(Exception):
    """No whole answer came in time; the message says why and holds nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def send(
    method: str,
    url: str,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """The answer of any status, redirects included; raises `Unreachable`.

    The timeout holds for the connection, for each wait on the other side, and for the whole body.
    Certificates are checked against the system's authorities.
    """
    target = urlsplit(url)
    connect = HTTPSConnection if target.scheme == "https" else HTTPConnection
    resource = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
    deadline = time.monotonic() + timeout_seconds
    try:
        with closing(connect(target.hostname or "", target.port, timeout=timeout_seconds)) as connection:
            connection.request(method, resource, body=body, headers=dict(headers or {}))
            with connection.getresponse() as response:
                received = b""
                while chunk := response.read1(MAX_BYTES):
                    received += chunk
                    if len(received) > MAX_BYTES:
                        raise Unreachable(f"{target.hostname} answers with more than {MAX_BYTES} bytes")
                    if time.monotonic() > deadline:
                        raise Unreachable(f"{target.hostname} takes longer than {timeout_seconds} s")
                return Answer(response.status, received)
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{target.hostname} cannot be reached: {type(error).__name__}") from error
