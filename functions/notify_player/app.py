"""NotifyPlayer: keeps the notice that the client shows, once for a version of a purchase, and pushes it."""

from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined
from nyanko.purchases import Purchase
from nyanko.use_cases.notify_player import notify_player
from nyanko.use_cases.tell_player import TellPlayer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from nyanko.payloads import Notified, NotifyInput

logger = function_logger()


@joined(logger)
def lambda_handler(event: "NotifyInput", context: "LambdaContext") -> "Notified":
    purchase = Purchase.from_dict(event["purchase"])
    logger.append_keys(
        event_id=event["event_id"], purchase_id=purchase.purchase_id, execution=event["execution"]
    )
    tell = TellPlayer(
        sockets=adapters().sockets,
        connections=adapters().connections,
        sleep=clock.sleep,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    notice, pushed = notify_player(
        purchase,
        event["notice"],
        clock.now(),
        notices=adapters().notices,
        connections=adapters().connections,
        inventory=adapters().inventory,
        tell=tell,
    )
    notified: Notified = {
        "notice_id": notice.notice_id,
        "delivered": len(pushed.delivered),
        "gone": len(pushed.gone),
        "failed": len(pushed.failed),
    }
    logger.info("notified", extra={**notified})
    return notified
