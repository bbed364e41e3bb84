"""Catch a game up: from its hello on it listens, and is told every notice that it has not acknowledged."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.frames import frame
from nyanko.notices import notice_frame
from nyanko.realtime import MAX_CATCH_UP

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_connections import Connections
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_notices import Notices
    from nyanko.adapters.dynamodb_purchases import Purchases


def catch_up(
    player_id: str,
    connection_id: str,
    now: int,
    tell: Callable[[str], bool],
    *,
    connections: "Connections",
    notices: "Notices",
    inventory: "Inventory",
    purchases: "Purchases",
) -> str:
    """Tell what was missed, oldest first, and return the welcome that comes last.

    `tell` sends a frame and says whether it arrived.
    """
    # First the row, then the notices: a notice that is written meanwhile is pushed, or seen here, or both.
    connections.put(player_id, connection_id, now)
    unseen = notices.unseen(player_id)
    oldest = unseen[:MAX_CATCH_UP]
    items = inventory.of_player(player_id)
    bought = purchases.get_many([notice.purchase_id for notice in oldest])
    by_id = {purchase.purchase_id: purchase for purchase in bought}
    told = 0
    for notice in oldest:
        if not tell(notice_frame(notice, by_id[notice.purchase_id], items)):
            break
        told += 1
    return frame(type="welcome", player_id=player_id, more=told < len(unseen))
