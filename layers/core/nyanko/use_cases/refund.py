"""Refund a purchase: Stripe is told, and its webhook tells us what follows from it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.purchases import Purchase, entitled
from nyanko.refunds import Refunded, Refunding, check_refundable, is_recorded, known_refunds, plan_refund

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.stripe_refunds import StripeRefunds

POLL_SECONDS = 0.5


class Refund:
    """An operator plans a refund, looks at it, issues it, and waits for what becomes of the purchase."""

    def __init__(self, *, purchases: "Purchases", stripe: "Callable[[], StripeRefunds]") -> None:
        self._purchases = purchases
        self._stripe = stripe

    def plan(self, purchase: Purchase, amount: int | None, email: str | None, *, again: bool) -> Refunding:
        """The refund of `amount` yen, or of all that is left, beside all that Stripe knows of by now.

        Raises `RefundedBefore` while an earlier refund counts, unless `again`; `NotRefundable`.
        """
        told = self._stripe().of_payment(check_refundable(purchase))
        return plan_refund(purchase, known_refunds(purchase, told), amount, email, again=again)

    def issue(self, refunding: Refunding, *, reason: str, operator: str) -> Refunded:
        """Have Stripe make the refund, or find the one that the same plan made before.

        Raises `NotRefundable` with Stripe's own words.
        """
        wanted = {"purchase_id": refunding.purchase_id, "operator": operator, "reason": reason}
        return self._stripe().create(
            payment_intent=refunding.payment_intent,
            amount=refunding.amount,
            email=refunding.email,
            metadata={name: value for name, value in wanted.items() if value},
            idempotency_key=refunding.idempotency_key,
        )

    def follow(
        self,
        purchase_id: str,
        refunded: Refunded,
        patience_seconds: float,
        *,
        advance: Callable[[float], object] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> tuple[Purchase | None, bool]:
        """The purchase once the webhook has told of the refund and the items follow it, and whether it has.

        Gives up after `patience_seconds`; `advance` hears how many have passed.
        """
        waited = 0.0
        while True:
            purchase = self._purchases.get(purchase_id)
            settled = (
                purchase is not None
                and is_recorded(purchase, refunded)
                and purchase.granted == entitled(purchase)
            )
            if settled or waited >= patience_seconds:
                return purchase, settled
            sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            advance(waited)
