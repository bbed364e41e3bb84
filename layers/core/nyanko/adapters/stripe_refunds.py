"""Refunds that Stripe is told to make, and those that it knows."""

from collections.abc import Mapping
from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.refunds import NotRefundable, Refunded

PAGE = 100


class StripeRefunds:
    """Raises `Retryable` when Stripe cannot be reached."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def of_payment(self, payment_intent: str) -> list[Refunded]:
        """All refunds of a payment as they are now, the newest first."""
        with stripe_errors():
            listed = self._api.client.v1.refunds.list({"payment_intent": payment_intent, "limit": PAGE})
            return [_refunded(one) for one in listed.auto_paging_iter()]

    def create(
        self,
        *,
        payment_intent: str,
        amount: int,
        email: str | None,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> Refunded:
        """Give back `amount` yen of a payment; the same key gives the same refund, as it is now.

        `email` is where Stripe asks the buyer how to send the money, which konbini needs. Raises
        `NotRefundable` with Stripe's own words.
        """
        params: Any = {
            "payment_intent": payment_intent,
            "amount": amount,
            "reason": "requested_by_customer",
            "metadata": metadata,
            **({"instructions_email": email} if email else {}),
        }
        refunds = self._api.client.v1.refunds
        refusals = 0
        while True:
            key = f"{idempotency_key}-{refusals}" if refusals else idempotency_key
            try:
                with stripe_errors():
                    made = refunds.create(params, {"idempotency_key": key})
                    # Such an answer shows the refund as it was when it was made
                    # (https://docs.stripe.com/api/idempotent_requests).
                    replayed = made.last_response is not None and _is_replayed(made.last_response.headers)
                    return _refunded(refunds.retrieve(made.id) if replayed else made)
            except stripe.IdempotencyError as error:
                raise NotRefundable(
                    "the same refund was just begun in other words; give the command again to see it"
                ) from error
            except stripe.StripeError as error:
                # Stripe keeps a refusal under the key for a day, also when its reason has passed, as a
                # dispute that was won. It made no refund, so another key asks anew; everybody's next key
                # is the same one.
                if not _is_replayed(error.headers or {}):
                    raise NotRefundable(f"Stripe refuses: {error.user_message or error}") from error
                refusals += 1


def _refunded(refund: stripe.Refund) -> Refunded:
    return Refunded(refund.id, refund.amount, str(refund.status))


def _is_replayed(headers: Mapping[str, Any]) -> bool:
    return {name.lower(): value for name, value in headers.items()}.get("idempotent-replayed") == "true"
