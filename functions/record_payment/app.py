"""RecordPayment: merges the event's facts into the purchase, after comparing them with what was ordered."""

from typing import Any

from nyanko import wiring
from nyanko.errors import Permanent
from nyanko.facts import Facts
from nyanko.purchases import check_amount

logger = wiring.logger()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    purchase = wiring.purchases().get(event["purchase_id"])
    if purchase is None:
        # The row is written before Stripe hears of the purchase, so waiting would not bring it.
        raise Permanent("UnknownPurchase", f"there is no purchase {event['purchase_id']}")
    check_amount(purchase, event["amount"], event["currency"])
    merged = purchase.facts.merge(Facts.from_dict(event["facts"]))
    if merged != purchase.facts:
        purchase = wiring.purchases().record(purchase, merged, wiring.now())
    logger.info(
        "recorded",
        extra={
            "event_id": event["event_id"],
            "purchase_id": purchase.purchase_id,
            "execution": event["execution"],
            "version": purchase.version,
        },
    )
    return purchase.to_dict()
