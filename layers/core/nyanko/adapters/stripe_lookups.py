"""What Stripe is asked about one event: the event itself, its object, and what leads from it to a
purchase."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.errors import Permanent

StripeObject = dict[str, Any]


class StripeLookups:
    """Raises `Retryable` when Stripe cannot be reached, and `Permanent` (`UnknownToStripe`) for an id that
    Stripe does not know."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def event(self, event_id: str) -> str:
        """The body of an event as Stripe's API tells it, for 30 days (https://docs.stripe.com/api/events).

        Its object has the account's default version of the API, whatever we ask with: it is a pointer.
        """
        with _known("event", event_id):
            return str(self._api.client.v1.events.retrieve(event_id))

    def object(self, kind: str, object_id: str) -> StripeObject:
        """An object as it is now, in our version of the API; `kind` is what Stripe calls it.

        Raises `Permanent` (`MalformedEvent`) for a kind that no event of ours is about.
        """
        v1 = self._api.client.v1
        with _known(kind, object_id):
            match kind:
                case "checkout.session":
                    return v1.checkout.sessions.retrieve(object_id).to_dict()
                case "refund":
                    return v1.refunds.retrieve(object_id).to_dict()
                case "charge":
                    return v1.charges.retrieve(object_id).to_dict()
                case "dispute":
                    return v1.disputes.retrieve(object_id).to_dict()
        raise Permanent("MalformedEvent", f"no event of ours is about a {kind}")

    def session_of(self, payment_intent: str) -> StripeObject | None:
        """The Checkout Session that made a payment, or None if none did."""
        with _known("payment", payment_intent):
            found = self._api.client.v1.checkout.sessions.list({"payment_intent": payment_intent, "limit": 1})
        return found.data[0].to_dict() if found.data else None

    def payment_intent_of(self, charge: str) -> str | None:
        with _known("charge", charge):
            found = self._api.client.v1.charges.retrieve(charge).payment_intent
        return found if found is None or isinstance(found, str) else found.id

    def refunds_of(self, charge: str) -> list[StripeObject]:
        """All refunds of a charge, as Stripe's refund objects."""
        with _known("charge", charge):
            refunds = self._api.client.v1.refunds.list({"charge": charge, "limit": 100})
            return [refund.to_dict() for refund in refunds.auto_paging_iter()]


@contextmanager
def _known(kind: str, identifier: str) -> Iterator[None]:
    """Stripe's answer to an id that it does not know, as an error of ours
    (https://docs.stripe.com/error-codes#resource-missing)."""
    try:
        with stripe_errors():
            yield
    except stripe.InvalidRequestError as error:
        if error.http_status == 404 or error.code == "resource_missing":
            raise Permanent("UnknownToStripe", f"Stripe knows no {kind} {identifier}") from error
        raise
