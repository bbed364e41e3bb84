"""Stripe's hosted Checkout and the objects behind it."""

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.errors import Retryable
from nyanko.purchases import Purchase


class StripeCheckout:
    """`frontend_url` is the page of the game that Stripe's page leads back to."""

    def __init__(self, api: StripeApi, frontend_url: str) -> None:
        self._api = api
        self._frontend_url = frontend_url

    def open_session(self, purchase: Purchase) -> tuple[str, str]:
        """Open the purchase's Checkout Session and return its id and the URL of its page.

        The purchase id is the idempotency key and the stored purchase gives every parameter, so that a
        second call returns the first session (https://docs.stripe.com/api/idempotent_requests). The metadata
        of both session and PaymentIntent carry the purchase id, so that every later event leads back to it.
        Raises `Retryable` when Stripe cannot be reached.
        """
        metadata = {"purchase_id": purchase.purchase_id}
        with stripe_errors():
            session = self._api.client.v1.checkout.sessions.create(
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
