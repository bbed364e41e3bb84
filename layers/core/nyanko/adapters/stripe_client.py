"""Stripe's SDK as all of us use it, and its failures in our words.

Import costs a cold start dearly, so only the functions that call Stripe import this.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import stripe

from nyanko.errors import Retryable
from nyanko.stripe_events import API_VERSION

# Below API Gateway's 29 seconds even when each of the SDK's retries waits that long.
TIMEOUT_SECONDS = (3, 6)
MAX_NETWORK_RETRIES = 2


class StripeApi:
    """Stripe's API at a URL, with the key in force; raises what `api_key` raises."""

    def __init__(self, api_key: Callable[[], str], url: str) -> None:
        self._api_key = api_key
        self._url = url
        self._client: tuple[str, stripe.StripeClient] | None = None

    @property
    def client(self) -> stripe.StripeClient:
        """The SDK's client, made anew when the key has been rolled."""
        api_key = self._api_key()
        if self._client is None or self._client[0] != api_key:
            self._client = api_key, _client(api_key, self._url)
        return self._client[1]


def _client(api_key: str, url: str) -> stripe.StripeClient:
    # No file in the home folder, no identifier of this machine in the requests.
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        max_network_retries=MAX_NETWORK_RETRIES,
        base_addresses={"api": url},
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Turn what may pass by itself into `Retryable`: no connection, a fault of Stripe's, the rate limit
    (https://docs.stripe.com/error-handling)."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Retryable("StripeUnavailable", "Stripe could not be reached") from error
    except stripe.APIError as error:
        raise Retryable("StripeUnavailable", f"Stripe answered {error.http_status}") from error
