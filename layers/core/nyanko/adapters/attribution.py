"""Finding the purchase that an event is about, and all that it says: a refund or dispute knows its payment
alone, and `charge.refunded` only the sum of the charge's refunds. Our own purchases are asked first."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.facts import Facts
from nyanko.readings import Reading, refund_facts

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.stripe_checkout import StripeCheckout


class Attribution:
    """Both are called when they are needed: most events need neither, and Stripe's SDK is slow to import."""

    def __init__(
        self, purchases: "Callable[[], Purchases]", stripe_checkout: "Callable[[], StripeCheckout]"
    ) -> None:
        self._purchases = purchases
        self._stripe_checkout = stripe_checkout

    def purchase_id(self, reading: Reading) -> str | None:
        """The purchase that the event names or its payment leads to, here or at Stripe; None if it is of
        another application."""
        if reading.purchase_id:
            return reading.purchase_id
        payment_intent = reading.payment_intent
        if payment_intent is None and reading.charge:
            payment_intent = self._stripe_checkout().payment_intent_of(reading.charge)
        if payment_intent is None:
            return None
        known = self._purchases().id_by_payment_intent(payment_intent)
        return known or self._stripe_checkout().purchase_id_of(payment_intent)

    def facts(self, reading: Reading) -> Facts:
        facts = reading.facts
        if reading.charge_refunds and reading.charge:
            for refund in self._stripe_checkout().refunds_of(reading.charge):
                facts = facts.merge(refund_facts(refund))
        return facts
