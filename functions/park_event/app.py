"""ParkEvent: sets an event aside with its reason, and tells the DLQ, which rings the alarm."""

from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.use_cases.park_event import park_event

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from nyanko.payloads import Parked, ParkInput

logger = function_logger()


@joined(logger)
def lambda_handler(event: "ParkInput", _context: "LambdaContext") -> "Parked":
    logger.append_keys(event_id=event["event_id"], execution=event["execution"])
    parked = park_event(
        event, clock.now(), events=adapters().events, dead_letters=adapters().dead_letter_queue
    )
    logger.append_keys(purchase_id=parked.purchase_id)
    if parked.is_parked:
        metric("Parked")
        metric("Parked", reason=parked.reason)
    logger.error(
        "parked" if parked.is_parked else "failed after it was finished",
        extra={"reason": parked.reason, "cause": parked.cause},
    )
    return {"reason": parked.reason, "parked": parked.is_parked}
