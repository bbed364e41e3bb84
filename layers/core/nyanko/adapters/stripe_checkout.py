"""Stripe's hosted Checkout and the objects behind it."""

from typing import Any

import stripe

from nyanko.adapters.stripe_client import stripe_client, stripe_errors
from nyanko.errors import Retryable
from nyanko.purchases import Purchase


class StripeCheckout:
    def __init__(self, api_key: str, api_url: str, frontend_url: str) -> None:
        self._frontend_url = frontend_url
        self._stripe = stripe_client(api_key, api_url)

    def open_session(self, purchase: Purchase) -> tuple[str, str]:
        """Open the purchase's Checkout Session and return its id and the URL of its page.

        The purchase id is the idempotency key and the stored purchase gives every parameter, so that a
        second call returns the first session (https://docs.stripe.com/api/idempotent_requests). The metadata
        of both session and PaymentIntent carry the purchase id, so that every later event leads back to it.
        Raises `Retryable` when Stripe cannot be reached.
        """
        metadata = {"purchase_id": purchase.purchase_id}
        with stripe_errors():
            session = self._stripe.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": purchase.purchase_id,
                    "metadata": metadata,
                    "payment_intent_data": {"metadata": metadata},
                    "line_items": [
                        {
                            "quantity": purchase.quantity,
                            "price_data": {
                                "currency": purchase.currency,
                                "unit_amount": purchase.product.unit_amount,
                                "product_data": {"name": purchase.product.name},
                            },
                        }
                    ],
                    # A converted price would no longer equal our snapshot.
                    "adaptive_pricing": {"enabled": False},
                    "locale": "ja",
                    "expires_at": purchase.expires_at,
                    "success_url": (
                        f"{self._frontend_url}?purchase_id={purchase.purchase_id}"
                        "&session_id={CHECKOUT_SESSION_ID}"
                    ),
                    "cancel_url": f"{self._frontend_url}?purchase_id={purchase.purchase_id}&canceled=1",
                },
                {"idempotency_key": purchase.purchase_id},
            )
        if session.url is None:
            raise Retryable("StripeUnavailable", f"Stripe opened {session.id} without a URL")
        return session.id, session.url

    def event(self, event_id: str) -> str | None:
        """The body of an event as Stripe's API tells it, or None if Stripe knows no such event."""
        with stripe_errors():
            try:
                event = self._stripe.v1.events.retrieve(event_id)
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise
        return str(event)

    def purchase_id_of(self, payment_intent: str) -> str | None:
        """The purchase that a payment was for, or None if no Checkout Session of ours made it."""
        with stripe_errors():
            sessions = self._stripe.v1.checkout.sessions.list({"payment_intent": payment_intent, "limit": 1})
        metadata = sessions.data[0].to_dict().get("metadata") if sessions.data else None
        return metadata.get("purchase_id") if metadata else None

    def payment_intent_of(self, charge: str) -> str | None:
        with stripe_errors():
            found = self._stripe.v1.charges.retrieve(charge).payment_intent
        return found if found is None or isinstance(found, str) else found.id

    def refunds_of(self, charge: str) -> list[dict[str, Any]]:
        """All refunds of a charge, as Stripe's refund objects."""
        with stripe_errors():
            refunds = self._stripe.v1.refunds.list({"charge": charge, "limit": 100})
            return [refund.to_dict() for refund in refunds.auto_paging_iter()]
