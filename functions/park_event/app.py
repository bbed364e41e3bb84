"""ParkEvent: sets an event aside with its reason, and tells the DLQ, which rings the alarm."""

from typing import Any

from nyanko import wiring
from nyanko.parking import parking_reason, subject

logger = wiring.logger()


def lambda_handler(failed: dict[str, Any], _context: object) -> dict[str, Any]:
    event_id, execution = failed["event_id"], failed["execution"]
    reason, cause = parking_reason(failed["error"])
    event, purchase_id = subject(failed["body"])
    about = {"purchase_id": purchase_id} | ({"type": event.type, "created": event.created} if event else {})
    parked = wiring.events().park(event_id, reason, cause, execution, failed, about, wiring.now())
    if parked:
        wiring.metric("Parked")
        wiring.metric("Parked", reason=reason)
        wiring.payment_events_dlq().send(
            {"event_id": event_id, "execution": execution, "reason": reason, "cause": cause}
        )
    logger.error(
        "parked" if parked else "failed after it was finished",
        extra={
            "event_id": event_id,
            "purchase_id": purchase_id,
            "execution": execution,
            "reason": reason,
            "cause": cause,
        },
    )
    return {"reason": reason, "parked": parked}
