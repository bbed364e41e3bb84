"""RecordPayment: merges the event's facts into the purchase, after comparing them with what was ordered."""

from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined
from nyanko.use_cases.record_payment import record_payment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from nyanko.payloads import RecordInput
    from nyanko.purchases import PurchaseJson

logger = function_logger()


@joined(logger)
def lambda_handler(event: "RecordInput", _context: "LambdaContext") -> "PurchaseJson":
    logger.append_keys(
        event_id=event["event_id"], purchase_id=event["purchase_id"], execution=event["execution"]
    )
    purchase = record_payment(event, clock.now(), purchases=adapters().purchases)
    logger.info("recorded", extra={"version": purchase.version})
    return purchase.to_dict()
