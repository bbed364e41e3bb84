"""Stripe's webhook endpoints, and what Stripe still has to deliver."""

from typing import Any

import stripe

from nyanko.adapters.stripe_client import StripeApi, stripe_errors
from nyanko.endpoints import NOTHING, Endpoint
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS

PAGE = 100
NOT_FOUND = 404


class StripeEndpoints:
    """Raises `Retryable` when Stripe cannot be reached."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    def at(self, url: str) -> list[Endpoint]:
        """The endpoints with this URL, the oldest first."""
        with stripe_errors():
            listed = list(self._api.client.v1.webhook_endpoints.list({"limit": PAGE}).auto_paging_iter())
        found = [
            Endpoint(one.id, one.url, one.status, one.api_version, one.enabled_events, one.created)
            for one in listed
            if one.url == url
        ]
        return sorted(found, key=lambda endpoint: (endpoint.created, endpoint.endpoint_id))

    def create(self, url: str, description: str) -> tuple[Endpoint, str]:
        """A new endpoint of our API version that sends nothing yet, and its secret, which no other call
        shows."""
        params: Any = {
            "url": url,
            "enabled_events": [NOTHING],
            "api_version": API_VERSION,
            "description": description,
        }
        with stripe_errors():
            made = self._api.client.v1.webhook_endpoints.create(params)
        endpoint = Endpoint(
            made.id, made.url, made.status, made.api_version, made.enabled_events, made.created
        )
        return endpoint, str(made.secret)

    def disable(self, endpoint_id: str) -> None:
        with stripe_errors():
            self._api.client.v1.webhook_endpoints.update(endpoint_id, {"disabled": True})

    def use(self, endpoint_id: str) -> None:
        """Have it send the events that we handle."""
        params: Any = {"enabled_events": sorted(HANDLED_EVENTS), "disabled": False}
        with stripe_errors():
            self._api.client.v1.webhook_endpoints.update(endpoint_id, params)

    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint, if it is still there."""
        with stripe_errors():
            try:
                self._api.client.v1.webhook_endpoints.delete(endpoint_id)
            except stripe.InvalidRequestError as error:
                if error.http_status != NOT_FOUND:
                    raise

    def undelivered(self, since: int) -> str | None:
        """One of the events since then (epoch seconds UTC) that some endpoint has not answered with 2xx."""
        params: Any = {
            "delivery_success": False,
            "types": sorted(HANDLED_EVENTS),
            "created": {"gte": since},
            "limit": 1,
        }
        with stripe_errors():
            found = self._api.client.v1.events.list(params).data
        return found[0].id if found else None

    def account_version(self) -> str | None:
        """The account's default API version, as the newest event shows it; None if there is no event.

        Stripe's API returns an event in the version that was the account's default when it happened
        (https://docs.stripe.com/api/events/list).
        """
        with stripe_errors():
            newest = self._api.client.v1.events.list({"limit": 1}).data
        return newest[0].api_version if newest else None
