"""Refund a purchase: Stripe is told, and its webhook tells us what follows from it."""

from typing import TYPE_CHECKING

from nyanko.purchases import Purchase
from nyanko.refunds import Refunded, check_refund, refundable_yen

if TYPE_CHECKING:
    from nyanko.adapters.stripe_refunds import StripeRefunds


def refund(purchase: Purchase, amount: int | None, email: str | None, *, stripe: "StripeRefunds") -> Refunded:
    """Give back `amount` yen, or all that is left; the same call gives the same refund until its webhook has
    arrived.

    The idempotency key says how much was left, so that it changes with what is known and with nothing else.
    Raises `NotRefundable`.
    """
    yen = check_refund(purchase, amount)
    return stripe.create(
        purchase_id=purchase.purchase_id,
        payment_intent=str(purchase.facts.payment_intent),
        amount=yen,
        email=email,
        idempotency_key=f"refund-{purchase.purchase_id}-{refundable_yen(purchase)}-{yen}",
    )
