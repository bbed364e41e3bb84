"""Acknowledge a notice: the client has shown it, and it is told no more."""

from typing import TYPE_CHECKING

from nyanko.errors import BadInput

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_notices import Notices


def acknowledge_notice(player_id: str, notice_id: str, now: int, *, notices: "Notices") -> None:
    """May be repeated. Raises `BadInput` (`NotFound`) for a notice that is not the player's."""
    if not notices.acknowledge(player_id, notice_id, now):
        raise BadInput("NotFound", f"you have no notice {notice_id}")
