"""GrantItems: makes the inventory converge on the facts, in one transaction with the ledger and the event."""

from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.purchases import Purchase
from nyanko.use_cases.grant_items import GrantItems

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from nyanko.payloads import GrantInput, NotifyInput

logger = function_logger()


@joined(logger)
def lambda_handler(event: "GrantInput", _context: "LambdaContext") -> "NotifyInput":
    event_id, execution = event["event_id"], event["execution"]
    recorded, now = Purchase.from_dict(event["purchase"]), clock.now()
    logger.append_keys(event_id=event_id, purchase_id=recorded.purchase_id, execution=execution)
    grant_items = GrantItems(
        purchases=adapters().purchases,
        grants=adapters().grants,
        events=adapters().events,
    )
    grant = grant_items(recorded, event_id, execution, now)
    if grant.packs > 0:
        metric("PaidToGranted", now - event["created"], "Seconds")
        metric("YenGranted", grant.yen)
    elif grant.packs < 0:
        metric("YenTakenBack", grant.yen)
    logger.info("granted", extra={"items": grant.items})
    return {
        "event_id": event_id,
        "execution": execution,
        "purchase": grant.after.to_dict(),
        "notice": grant.notice,
    }
