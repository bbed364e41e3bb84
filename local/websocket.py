"""A WebSocket client, with which the demo and the tests play a game."""

import socket
import time
from collections import deque
from typing import Self
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

PATIENCE_SECONDS = 30


class Refused(Exception):
    """The server did not let the client in; `status` is that of its HTTP answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class Closed(Exception):
    """The connection has ended; `code` says why (https://www.rfc-editor.org/rfc/rfc6455#section-7.4)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """A connection to a `ws:` URL, open once it is made; raises `Refused`."""

    def __init__(self, url: str, origin: str | None = None) -> None:
        target = urlsplit(url)
        self._socket = socket.create_connection((target.hostname, target.port or 80), PATIENCE_SECONDS)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: deque[Event] = deque()
        try:
            self._tell(
                Request(
                    host=target.netloc,
                    target=f"{target.path}?{target.query}",
                    extra_headers=[(b"Origin", origin.encode())] if origin else [],
                )
            )
            self._require_acceptance(self._next(PATIENCE_SECONDS))
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: str) -> None:
        self._tell(Message(data=text))

    def receive(self, seconds: float = PATIENCE_SECONDS) -> str:
        """The next message; raises `TimeoutError` when none comes in time, and `Closed`."""
        deadline = time.monotonic() + seconds
        text = ""
        while True:
            match self._next(max(deadline - time.monotonic(), 0.001)):
                case TextMessage() as part:
                    text += part.data
                    if part.message_finished:
                        return text
                case Ping() as ping:
                    self._tell(ping.response())
                case CloseConnection(code=code):
                    self._socket.close()
                    raise Closed(code)

    def close(self) -> None:
        """Say goodbye without waiting for an answer."""
        if self._socket.fileno() >= 0:
            self._tell(CloseConnection(code=1000))
            self._socket.close()

    def drop(self) -> None:
        """Vanish without a word, as when the network fails."""
        self._socket.close()

    def _require_acceptance(self, answer: Event) -> None:
        if not isinstance(answer, AcceptConnection):
            raise Refused(answer.status_code if isinstance(answer, RejectConnection) else 0)

    def _tell(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))

    def _next(self, seconds: float) -> Event:
        self._socket.settimeout(seconds)
        while not self._events:
            self._protocol.receive_data(self._socket.recv(64 * 1024) or None)
            self._events.extend(self._protocol.events())
        return self._events.popleft()
