"""Notify a player: keep the notice that the client shows, once for each version of a purchase, and push it.

The notice is what counts: it waits for the client. A push only brings it sooner, and may fail.
"""

from typing import TYPE_CHECKING

from nyanko.notices import Notice, NoticeContent, new_notice, notice_frame
from nyanko.purchases import Purchase
from nyanko.push import Pushed
from nyanko.use_cases.tell_player import TellPlayer

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_connections import Connections
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_notices import Notices


def notify_player(
    purchase: Purchase,
    content: NoticeContent,
    now: int,
    *,
    notices: "Notices",
    connections: "Connections",
    inventory: "Inventory",
    tell: TellPlayer,
) -> tuple[Notice, Pushed]:
    """The notice of this version of the purchase, and what became of its pushes.

    One that the client has acknowledged already is pushed no more.
    """
    notice = new_notice(purchase, content, now)
    unseen = notices.put(notice)
    if unseen is None:
        return notice, Pushed()
    player_id = purchase.player_id
    connection_ids = connections.of_player(player_id, now)
    if not connection_ids:
        return notice, Pushed()
    return notice, tell(
        player_id, connection_ids, notice_frame(unseen, purchase, inventory.of_player(player_id))
    )
