"""GrantItems: makes the inventory converge on the facts, in one transaction with the ledger and the event."""

from dataclasses import replace
from typing import Any

from nyanko import wiring
from nyanko.errors import Permanent, Retryable
from nyanko.grants import Grant, converge
from nyanko.purchases import Purchase

logger = wiring.logger()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now = wiring.now()
    grant = _grant(event, now)
    if not grant.nothing_due:
        _measure(grant, now - event["created"])
    logger.info(
        "granted",
        extra={
            "event_id": event["event_id"],
            "purchase_id": grant.after.purchase_id,
            "execution": event["execution"],
            "items": grant.items,
        },
    )
    return {
        "event_id": event["event_id"],
        "execution": event["execution"],
        "purchase": grant.after.to_dict(),
        "notice": grant.notice,
    }


def _grant(event: dict[str, Any], now: int) -> Grant:
    """The grant that was made: of the purchase as it was recorded, or as it is if it changed since then."""
    recorded = Purchase.from_dict(event["purchase"])
    grant = converge(recorded, now)
    if _applied(grant, event, now):
        return grant
    purchase = wiring.purchases().get(recorded.purchase_id)
    if purchase is None:
        raise Permanent("UnknownPurchase", f"there is no purchase {recorded.purchase_id}")
    grant = converge(purchase, now)
    if not _applied(grant, event, now):
        raise Retryable("Conflict", f"{recorded.purchase_id} changed while granting")
    if grant.nothing_due:
        # An earlier attempt may have changed the purchase, and only its answer was lost.
        return replace(grant, items=wiring.grants().items_of(event["event_id"], purchase))
    return grant


def _applied(grant: Grant, event: dict[str, Any], now: int) -> bool:
    if grant.nothing_due:
        wiring.events().apply(event["event_id"], grant.after.purchase_id, now)
        return True
    return wiring.grants().apply(grant, event["event_id"], event["execution"], now)


def _measure(grant: Grant, seconds: int) -> None:
    """`seconds` have passed since Stripe knew of what is granted or taken back now."""
    packs = grant.after.granted - grant.before.granted
    yen = abs(packs) * grant.after.product.unit_amount
    if packs > 0:
        wiring.metric("PaidToGranted", seconds, "Seconds")
        wiring.metric("YenGranted", yen)
    else:
        wiring.metric("YenTakenBack", yen)
