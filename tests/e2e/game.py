"""The live side of a game client, by the rules of docs/realtime.md, and a network that loses its frames."""

import json
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from local.stack import Stack
from local.websocket import Closed, WebSocket
from tests.e2e.shop import Player

Network = Callable[[str], Iterable[str]]
"""What becomes of a frame: the frames that arrive now, which may be none, twice the same, or earlier ones."""


def perfect(sent: str) -> Iterable[str]:
    return [sent]


class Lossy:
    """Drops some frames, brings some twice, and some only after later ones; `happened` says which."""

    def __init__(self, seed: int) -> None:
        self.happened: set[str] = set()
        self._random = Random(seed)  # noqa: S311 a repeatable misfortune
        self._late: list[str] = []

    def __call__(self, sent: str) -> Iterable[str]:
        late, self._late = self._late, []
        happens = self._random.choice(["dropped", "duplicated", "delayed", "nothing", "nothing"])
        if late and happens != "dropped":
            happens = "reordered"
        self.happened.add(happens)
        match happens:
            case "dropped":
                return late
            case "duplicated":
                return [sent, sent]
            case "delayed":
                self._late = [sent]
                return []
        return [sent, *late]


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

    def connect(self, ticket: str | None = None, origin: str | None = None, **query: str) -> None:
        parameters = {"ticket": self.ticket() if ticket is None else ticket, **query}
        text = "&".join(f"{name}={value}" for name, value in parameters.items())
        self._socket = WebSocket(f"{self._stack.ws}?{text}", origin or self._stack.frontend_origin)

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
