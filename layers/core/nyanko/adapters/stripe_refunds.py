"""Refunds that Stripe is told to make."""

from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.refunds import NotRefundable, Refunded


class StripeRefunds:
    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def create(
        self, *, purchase_id: str, payment_intent: str, amount: int, email: str | None, idempotency_key: str
    ) -> Refunded:
        """Give back `amount` yen of a payment; the same key gives the same refund.

        `email` is where Stripe asks the buyer how to send the money, which konbini needs. Raises
        `NotRefundable` with Stripe's own words.
        """
        params: Any = {
            "payment_intent": payment_intent,
            "amount": amount,
            "reason": "requested_by_customer",
            "metadata": {"purchase_id": purchase_id},
            **({"instructions_email": email} if email else {}),
        }
        try:
            with stripe_errors():
                made = self._api.client.v1.refunds.create(params, {"idempotency_key": idempotency_key})
        except stripe.InvalidRequestError as error:
            raise NotRefundable(f"Stripe refuses: {error.user_message or error}") from error
        return Refunded(made.id, made.amount, str(made.status))
