"""HTTP requests to services that have no SDK here: bounded in time and in size, no redirect followed.

All of them share one pool: a warm process keeps its connections, and builds one TLS context for all of them,
since that takes longer than all else in a request.
"""

import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, MaxRetryError

MAX_BYTES = 64 * 1024
PASSING = frozenset({429, *range(500, 600)})
"""Statuses that may be another one in a moment."""
BACKOFF_SECONDS = 0.1
JITTER_SECONDS = 0.2


class Unreachable(Exception):
    """No whole answer came in time; the message says why and holds nothing that was sent."""


class _Retry(Retry):
    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        *args: Any,  # noqa: ANN401 urllib3's own
        **kwargs: Any,  # noqa: ANN401 urllib3's own
    ) -> "_Retry":
        left = super().increment(method, url, response, *args, **kwargs)
        # urllib3 would read the answer that it drops to its end, however late that comes.
        if response is not None:
            response.close()
        return left


def retries(number: int) -> Retry:
    """After no connection, no answer in time, or a status that passes; for requests that may come twice.

    The first comes at once, since most often the server had closed a connection that was kept; the second
    after 0.2 to 0.4 s. What a Retry-After asks for may be longer than anybody here can wait.
    """
    return _Retry(
        number,
        allowed_methods=None,
        status_forcelist=PASSING,
        raise_on_status=False,
        respect_retry_after_header=False,
        backoff_factor=BACKOFF_SECONDS,
        backoff_jitter=JITTER_SECONDS,
    )


ONE_RETRY = retries(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """`retries` is what is left of them, for the next request of the same undertaking."""

    status: int
    body: bytes
    retries: Retry = field(default=ONE_RETRY, compare=False)


@cache
def _pool() -> PoolManager:
    return PoolManager(ssl_context=ssl.create_default_context())


def send(
    method: str,
    url: str,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    retries: Retry = ONE_RETRY,
) -> Answer:
    """The answer of any status, redirects included; raises `Unreachable`.

    The timeout holds for each attempt until it is answered, and then for the whole body; what happens to the
    body is not retried. Certificates are checked against the system's authorities.
    """
    host = urlsplit(url).hostname
    try:
        response = _pool().request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=Timeout(total=timeout_seconds),
            retries=retries,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        # An answer that is not read to its end ends its connection.
        with closing(response):
            return Answer(
                response.status, _body(response, host, timeout_seconds), response.retries or retries
            )
    except (HTTPError, OSError) as error:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        raise Unreachable(f"{host} cannot be reached: {type(reason).__name__}") from error


def _body(response: BaseHTTPResponse, host: str | None, timeout_seconds: float) -> bytes:
    deadline = time.monotonic() + timeout_seconds
    received = b""
    while chunk := response.read1(MAX_BYTES):
        received += chunk
        if len(received) > MAX_BYTES:
            raise Unreachable(f"{host} answers with more than {MAX_BYTES} bytes")
        if time.monotonic() > deadline:
            raise Unreachable(f"{host} takes longer than {timeout_seconds} s")
    return received
