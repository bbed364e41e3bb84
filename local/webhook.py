"""The webhook endpoint at Stripe, created as on the real one: with the SDK as it comes."""

from typing import Any

import requests
import stripe

from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS


def create_endpoint(stripe_url: str, api_key: str, url: str) -> str:
    """Make `url` the only endpoint, told of all events that we handle, and return its signing secret."""
    stripe.enable_telemetry = False  # it would leave an id in the developer's home
    endpoint: Any = {"url": url, "enabled_events": sorted(HANDLED_EVENTS), "api_version": API_VERSION}
    with requests.Session() as session:
        session.trust_env = False  # no proxy between programs of one machine
        client = stripe.StripeClient(
            api_key,
            base_addresses={"api": stripe_url},
            http_client=stripe.RequestsClient(session=session),
        )
        endpoints = client.v1.webhook_endpoints
        for old in endpoints.list().data:
            endpoints.delete(old.id)
        return str(endpoints.create(endpoint).secret)
