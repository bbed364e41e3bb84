"""NotifyPlayer: keeps the notice that the client shows, once for each version of a purchase, and pushes it.

The notice is what counts: it waits for the client. A push only brings it sooner, and may fail.
"""

from typing import TYPE_CHECKING, Any

from nyanko import wiring
from nyanko.purchases import Purchase
from nyanko.push import Pushed, push
from nyanko.realtime import notice_frame

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = wiring.logger()


def lambda_handler(grant: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    purchase = Purchase.from_dict(grant["purchase"])
    # Sorts by time, and a second run for the same version of the purchase finds the notice written.
    notice_id = f"{purchase.updated_at:010d}.{purchase.purchase_id}.{purchase.version}"
    unseen = wiring.notices().put(purchase.player_id, notice_id, grant["notice"], wiring.now())
    pushed = _push(unseen, purchase, context) if unseen else Pushed()
    counts = {
        "delivered": len(pushed.delivered),
        "gone": len(pushed.gone),
        "failed": len(pushed.failed),
    }
    logger.info(
        "notified",
        extra={
            "event_id": grant["event_id"],
            "purchase_id": purchase.purchase_id,
            "execution": grant["execution"],
            "notice_id": notice_id,
            **counts,
        },
    )
    return {"notice_id": notice_id, **counts}


def _push(unseen: dict[str, Any], purchase: Purchase, context: "LambdaContext") -> Pushed:
    """Send the notice to every connection of its player, and forget those that are gone."""
    player_id = purchase.player_id
    connection_ids = wiring.connections().of_player(player_id, wiring.now())
    if not connection_ids:
        return Pushed()
    pushed = push(
        notice_frame(unseen, purchase, wiring.inventory().of_player(player_id)),
        connection_ids,
        wiring.sockets().post,
        sleep=wiring.sleep,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    wiring.connections().delete(player_id, pushed.gone)
    return pushed
