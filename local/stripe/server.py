"""The stand-in as a running server: HTTP, deliveries and timers, on 127.0.0.1 only."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from local.stripe import keys, listeners, versions
from local.stripe.app import create_app
from local.stripe.deliveries import Courier
from local.stripe.store import ACCOUNT_API_VERSION, Account

TICK_SECONDS = 0.5

POLL_SECONDS = 0.02
"""How soon the server notices that it is to stop."""


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of answered requests."""


class StandIn:
    """Serves from `start` to `stop`; `port` 0 takes any free one, which `url` then names.

    `api_version` is the account's default; raises `ApiError` if it cannot be rendered. `api_key` is the
    account's first key, a secret one.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        livemode: bool = False,
        api_version: str = ACCOUNT_API_VERSION,
        api_key: str = "sk_test_nyanko",
        retry_base: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.account = Account(livemode=livemode, api_version=versions.check(api_version), clock=clock)
        keys.add(self.account, api_key)
        self._courier = Courier(self.account, retry_base)
        self._server = make_server(
            "127.0.0.1", port, create_app(self.account), threaded=True, request_handler=_QuietHandler
        )
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,)),
            threading.Thread(target=self._tick),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._courier.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        listeners.close(self.account)
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self._courier.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        """What is due happens even if nobody calls."""
        while not self._stopped.wait(TICK_SECONDS):
            with self.account.at_work():
                pass
