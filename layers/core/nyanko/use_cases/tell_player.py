"""Tell a player something over WebSockets: send a frame, and forget the connections that are gone."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nyanko.push import Pushed, push

if TYPE_CHECKING:
    from nyanko.adapters.apigateway_sockets import Sockets
    from nyanko.adapters.dynamodb_connections import Connections


class TellPlayer:
    """`sleep` waits between attempts; `seconds_left` is the time that the caller has."""

    def __init__(
        self,
        *,
        sockets: "Sockets",
        connections: "Connections",
        sleep: Callable[[float], None],
        seconds_left: Callable[[], float],
    ) -> None:
        self._sockets = sockets
        self._connections = connections
        self._sleep = sleep
        self._seconds_left = seconds_left

    def __call__(self, player_id: str, connection_ids: Sequence[str], frame: str) -> Pushed:
        pushed = push(
            frame, connection_ids, self._sockets.post, sleep=self._sleep, seconds_left=self._seconds_left
        )
        self._connections.delete(player_id, pushed.gone)
        return pushed
