"""What of a purchase can be given back."""

from dataclasses import dataclass

from nyanko.facts import REFUND_ORDER
from nyanko.purchases import Purchase

ENDED_WITHOUT = REFUND_ORDER[REFUND_ORDER.index("canceled") :]
"""Refunds that gave nothing back after all."""


class NotRefundable(Exception):
    """There is nothing to give back, or Stripe refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """`amount` is yen, `status` Stripe's."""

    refund_id: str
    amount: int
    status: str


def refundable_yen(purchase: Purchase) -> int:
    """Yen that no refund has taken, or is about to."""
    refunds = purchase.facts.refunds.values()
    return purchase.facts.paid - sum(one.amount for one in refunds if one.status not in ENDED_WITHOUT)


def check_refund(purchase: Purchase, amount: int | None) -> int:
    """The yen to give back: `amount`, or all that is left. Raises `NotRefundable`."""
    left = refundable_yen(purchase)
    if purchase.facts.payment_intent is None or not purchase.facts.paid:
        raise NotRefundable(f"{purchase.purchase_id} was not paid")
    if purchase.facts.held:
        raise NotRefundable(
            f"{purchase.purchase_id} is disputed: the bank decides, and Stripe refuses refunds"
        )
    if left <= 0:
        raise NotRefundable(f"{purchase.purchase_id} has been refunded already")
    if amount is not None and not 1 <= amount <= left:
        raise NotRefundable(f"{purchase.purchase_id} has {left} yen left to refund, not {amount}")
    return left if amount is None else amount
