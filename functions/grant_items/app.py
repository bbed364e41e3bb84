"""GrantItems: makes the inventory converge on the facts, in one transaction with the ledger and the event."""

from typing import Any

from aws_lambda_powertools import Logger

from nyanko import wiring
from nyanko.errors import Permanent
from nyanko.grants import Grant, converge

logger = Logger()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now = wiring.now()
    purchase = wiring.purchases().get(event["purchase_id"])
    if purchase is None:
        raise Permanent("UnknownPurchase", f"there is no purchase {event['purchase_id']}")
    grant = converge(purchase, now)
    if grant.nothing_due:
        wiring.events().apply(event["event_id"], purchase.purchase_id, now)
    else:
        wiring.grants().apply(grant, event["event_id"], event["execution"], now)
        _measure(grant, now - event["created"])
    logger.info(
        "granted",
        extra={
            "event_id": event["event_id"],
            "purchase_id": purchase.purchase_id,
            "execution": event["execution"],
            "items": grant.items,
        },
    )
    return {
        "event_id": event["event_id"],
        "execution": event["execution"],
        **grant.telling,
    }


def _measure(grant: Grant, seconds: int) -> None:
    """`seconds` have passed since Stripe knew of what is granted or taken back now."""
    packs = grant.after.granted - grant.before.granted
    yen = abs(packs) * grant.after.product.unit_amount
    if packs > 0:
        wiring.metric("PaidToGranted", seconds, "Seconds")
        wiring.metric("YenGranted", yen)
    else:
        wiring.metric("YenTakenBack", yen)
