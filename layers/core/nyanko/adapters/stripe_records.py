"""What Stripe has on record, page by page: the other side of reconciliation."""

from collections.abc import Mapping
from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.stripe_events import HANDLED_EVENTS

PAGE = 100
"""The most that Stripe lists at once (https://docs.stripe.com/api/pagination)."""

StripeObject = dict[str, Any]


class StripeRecords:
    """Times are epoch seconds UTC; `since` is the first of them, `until` the first that is not meant.

    Raises `Retryable` when Stripe cannot be reached.
    """

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def events(self, since: int, until: int, after: str | None = None) -> list[StripeObject]:
        """A page of the events that we handle, newest first, following the event `after`.

        Stripe knows them for 30 days (https://docs.stripe.com/api/events).
        """
        params: Any = {"types": sorted(HANDLED_EVENTS), **_window(since, until, after)}
        with stripe_errors():
            return [event.to_dict() for event in self._api.client.v1.events.list(params).data]

    def sessions(self, since: int, until: int, after: str | None = None) -> list[StripeObject]:
        """A page of Checkout Sessions, newest first, with payment and charge in place of their ids."""
        params: Any = {**_window(since, until, after), "expand": ["data.payment_intent.latest_charge"]}
        with stripe_errors():
            return [session.to_dict() for session in self._api.client.v1.checkout.sessions.list(params).data]

    def session(self, session_id: str) -> StripeObject:
        with stripe_errors():
            return self._api.client.v1.checkout.sessions.retrieve(session_id).to_dict()

    def session_of(self, payment_intent: str) -> StripeObject | None:
        """The Checkout Session that made a payment, like those of `sessions`."""
        params: Any = {
            "payment_intent": payment_intent,
            "limit": 1,
            "expand": ["data.payment_intent.latest_charge"],
        }
        with stripe_errors():
            found = self._api.client.v1.checkout.sessions.list(params).data
        return found[0].to_dict() if found else None

    def refunds_of(self, payment_intent: str) -> list[StripeObject]:
        with stripe_errors():
            refunds = self._api.client.v1.refunds.list({"payment_intent": payment_intent, "limit": PAGE})
            return [refund.to_dict() for refund in refunds.auto_paging_iter()]

    def disputes_of(self, payment_intent: str) -> list[StripeObject]:
        with stripe_errors():
            disputes = self._api.client.v1.disputes.list({"payment_intent": payment_intent, "limit": PAGE})
            return [dispute.to_dict() for dispute in disputes.auto_paging_iter()]

    def payments_changed(self, since: int) -> list[str]:
        """The payments (PaymentIntents) of all refunds and disputes that were created since."""
        created: Any = {"created": {"gte": since}, "limit": PAGE}
        with stripe_errors():
            refunds = self._api.client.v1.refunds.list(created).auto_paging_iter()
            disputes = self._api.client.v1.disputes.list(created).auto_paging_iter()
            payments = {one.payment_intent for one in refunds} | {one.payment_intent for one in disputes}
        return sorted(payment for payment in payments if isinstance(payment, str))

    def expire(self, session_id: str) -> bool:
        """Close an open session, so that nobody pays it any more; False if it was open no more."""
        with stripe_errors():
            try:
                self._api.client.v1.checkout.sessions.expire(session_id)
            except stripe.InvalidRequestError:
                return False
        return True


def _window(since: int, until: int, after: str | None) -> Mapping[str, Any]:
    following = {"starting_after": after} if after else {}
    return {"created": {"gte": since, "lt": until}, "limit": PAGE, **following}
