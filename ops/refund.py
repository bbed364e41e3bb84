"""Giving money back: Stripe is told, and its webhook tells us what follows from it."""

from dataclasses import dataclass
from typing import Any

import stripe

from nyanko.adapters.stripe_client import stripe_client, stripe_errors
from nyanko.facts import REFUND_ORDER
from nyanko.purchases import Purchase
from ops.stages import Stage

ENDED_WITHOUT = REFUND_ORDER[REFUND_ORDER.index("canceled") :]
"""Refunds that gave nothing back after all."""


class NotRefundable(Exception):
    """There is nothing to give back, or Stripe refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """`amount` is yen."""

    refund_id: str
    amount: int
    status: str


def left(purchase: Purchase) -> int:
    """Yen that no refund has taken, or is about to."""
    refunds = purchase.facts.refunds.values()
    return purchase.facts.paid - sum(one.amount for one in refunds if one.status not in ENDED_WITHOUT)


def check(purchase: Purchase, amount: int | None) -> int:
    """The yen to give back: `amount`, or all that is left. Raises `NotRefundable`."""
    available = left(purchase)
    if purchase.facts.payment_intent is None or not purchase.facts.paid:
        raise NotRefundable(f"{purchase.purchase_id} was not paid")
    if purchase.facts.held:
        raise NotRefundable(
            f"{purchase.purchase_id} is disputed: the bank decides, and Stripe refuses refunds"
        )
    if available <= 0:
        raise NotRefundable(f"{purchase.purchase_id} has been refunded already")
    if amount is not None and not 1 <= amount <= available:
        raise NotRefundable(f"{purchase.purchase_id} has {available} yen left to refund, not {amount}")
    return available if amount is None else amount


def refund(stage: Stage, purchase: Purchase, amount: int, email: str | None = None) -> Refunded:
    """Issue a refund; the same call gives the same refund until its webhook has arrived.

    The idempotency key says how much was left, so that it changes with what is known and with nothing else.
    `email` is where Stripe asks the buyer how to send the money, which konbini needs.
    Raises `NotRefundable` with Stripe's own words.
    """
    params: Any = {
        "payment_intent": purchase.facts.payment_intent,
        "amount": amount,
        "reason": "requested_by_customer",
        "metadata": {"purchase_id": purchase.purchase_id},
        **({"instructions_email": email} if email else {}),
    }
    key = f"refund-{purchase.purchase_id}-{left(purchase)}-{amount}"
    try:
        with stripe_errors():
            made = stripe_client(*stage.stripe_credentials).v1.refunds.create(
                params, {"idempotency_key": key}
            )
    except stripe.InvalidRequestError as error:
        raise NotRefundable(f"Stripe refuses: {error.user_message or error}") from error
    return Refunded(made.id, made.amount, str(made.status))
