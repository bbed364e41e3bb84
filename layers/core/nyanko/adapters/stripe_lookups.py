"""What Stripe is asked about one event: the event itself, and what leads from it to a purchase."""

from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors


class StripeLookups:
    """Raises `Retryable` when Stripe cannot be reached."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def event(self, event_id: str) -> str | None:
        """The body of an event as Stripe's API tells it, or None if Stripe knows no such event."""
        with stripe_errors():
            try:
                event = self._api.client.v1.events.retrieve(event_id)
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise
        return str(event)

    def purchase_id_of(self, payment_intent: str) -> str | None:
        """The purchase that a payment was for, or None if no Checkout Session of ours made it."""
        with stripe_errors():
            sessions = self._api.client.v1.checkout.sessions.list(
                {"payment_intent": payment_intent, "limit": 1}
            )
        metadata = sessions.data[0].to_dict().get("metadata") if sessions.data else None
        return metadata.get("purchase_id") if metadata else None

    def payment_intent_of(self, charge: str) -> str | None:
        with stripe_errors():
            found = self._api.client.v1.charges.retrieve(charge).payment_intent
        return found if found is None or isinstance(found, str) else found.id

    def refunds_of(self, charge: str) -> list[dict[str, Any]]:
        """All refunds of a charge, as Stripe's refund objects."""
        with stripe_errors():
            refunds = self._api.client.v1.refunds.list({"charge": charge, "limit": 100})
            return [refund.to_dict() for refund in refunds.auto_paging_iter()]
