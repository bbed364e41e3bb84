"""The live side of a game client, by the rules of docs/realtime.md, and a network that loses its frames."""

import json
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any

from local.stack import Stack
from local.websocket import Closed, WebSocket
from tests.e2e.shop import Player

Network = Callable[[str], Iterable[str]]
"""What becomes of a frame: the frames that arrive now, which may be none, twice the same, or earlier ones."""


def perfect(sent: str) -> Iterable[str]:
    return [sent]


class Lossy:
    """Brings a notice twice, drops the next, brings the third behind a later frame, and so on.

    `happened` says what has happened so far.
    """

    def __init__(self) -> None:
        self.happened: set[str] = set()
        self._misfortunes = cycle(["duplicated", "dropped", "delayed"])
        self._late: list[str] = []

    def __call__(self, sent: str) -> Iterable[str]:
        late, self._late = self._late, []
        if late:
            self.happened.add("reordered")
        if "purchase.updated" not in sent:
            return [sent, *late]
        happens = next(self._misfortunes)
        self.happened.add(happens)
        match happens:
            case "dropped":
                return late
            case "delayed":
                self._late = [sent]
                return late
        return [sent, sent, *late]


class Game:
    """`shown` are the notices that the player saw, in that order; like a browser's storage it outlives
    connections. `told` are all frames that arrived.
    """

    def __init__(self, stack: Stack, player: Player, network: Network = perfect) -> None:
        self.shown: list[str] = []
        self.told: list[dict[str, Any]] = []
        self._stack = stack
        self._player = player
        self._network = network
        self._socket: WebSocket

    def ticket(self) -> str:
        answered = self._player.post("/realtime/ticket", {})
        assert (answered.status, answered.body["url"]) == (201, self._stack.ws), answered.body
        return str(answered.body["ticket"])

    def connect(self, ticket: str | None = None, origin: str | None = None) -> None:
        url = f"{self._stack.ws}?ticket={self.ticket() if ticket is None else ticket}"
        self._socket = WebSocket(url, origin or self._stack.frontend_origin)

    def say(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        for arriving in self._network(text):
            self._socket.send(arriving)

    def hear(self, seconds: float = 30) -> None:
        """Wait for the next frame and act on whatever arrives; raises `TimeoutError` and `Closed`."""
        for arriving in self._network(self._socket.receive(seconds)):
            told = json.loads(arriving)
            self.told.append(told)
            if "notice_id" in told and told["type"] != "acked":
                if told["notice_id"] not in self.shown:
                    self.shown.append(told["notice_id"])
                self.say({"type": "ack", "notice_id": told["notice_id"]})

    def hear_until(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind."""
        before = len(self.told)
        while not (found := [told for told in self.told[before:] if told["type"] == kind]):
            self.hear()
        return found[0]

    def catch_up(self, patience_seconds: float = 30) -> None:
        """Connect and say hello, then act on what comes until nothing has come for a while, and vanish."""
        self.connect()
        try:
            self.say({"type": "hello"})
            while True:
                self.hear(patience_seconds)
        except (TimeoutError, Closed):
            self._socket.drop()

    def close(self) -> None:
        self._socket.close()

    def drop(self) -> None:
        self._socket.drop()
