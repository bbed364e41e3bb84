"""Record a payment: the event's facts merge into the purchase, once they were compared with the order."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nyanko.errors import Permanent
from nyanko.facts import Facts
from nyanko.purchases import Purchase, check_amount, check_session

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.payloads import RecordInput


def record_payment(event: "RecordInput", now: int, *, purchases: "Purchases") -> Purchase:
    """The purchase with the event's facts; unchanged if they say nothing new.

    Raises `Permanent`: `UnknownPurchase`, `OtherSession` or `AmountMismatch`; `Retryable` (`Conflict`) when
    somebody else changed the purchase meanwhile.
    """
    purchase = purchases.get(event["purchase_id"])
    if purchase is None:
        # The row is written before Stripe hears of the purchase, so waiting would not bring it.
        raise Permanent("UnknownPurchase", f"there is no purchase {event['purchase_id']}")
    check_session(purchase, event["session_id"])
    check_amount(purchase, event["amount"], event["currency"])
    told = replace(purchase, session_id=purchase.session_id or event["session_id"])
    merged = purchase.facts.merge(Facts.from_dict(event["facts"]))
    if told == purchase and merged == purchase.facts:
        return purchase
    return purchases.record(told, merged, now)
