"""Read a player: what is known here, and what Join&make says of those who are new or were read long ago."""

from typing import TYPE_CHECKING

from nyanko.errors import Retryable
from nyanko.players import Player

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_players import Players
    from nyanko.adapters.joinmake import Joinmake


def known_player(
    player_id: str, now: int, *, players: "Players", joinmake: "Joinmake"
) -> tuple[Player, bool]:
    """The player as last described, and whether they are new: then Join&make was asked.

    Raises `Retryable` when it does not answer for a new one.
    """
    if player := players.get(player_id):
        return player, False
    return _described(player_id, now, players, joinmake), True


def fresh_player(player_id: str, now: int, *, players: "Players", joinmake: "Joinmake") -> Player:
    """The player as described within the last day; a known one plays on with what Join&make said last while
    it does not answer. Raises `Retryable` when it does not answer for a new one."""
    player = players.get(player_id)
    if player is not None and not player.profile_is_old(now):
        return player
    try:
        return _described(player_id, now, players, joinmake)
    except Retryable:
        if player is None:
            raise
        return player


def _described(player_id: str, now: int, players: "Players", joinmake: "Joinmake") -> Player:
    player = joinmake.player(player_id, now)
    players.put(player)
    return player
