"""Stripe's SDK as all of us use it, and its failures in our words.

Import costs a cold start dearly, so only the functions that call Stripe import this.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import stripe

from nyanko.errors import Retryable
from nyanko.stripe_events import API_VERSION

# Below API Gateway's 29 seconds even when each of the SDK's retries waits that long.
TIMEOUT_SECONDS = (3, 6)
MAX_NETWORK_RETRIES = 2
UNAUTHORIZED = 401
RIGHT = re.compile(r"rak_[a-z_]+")
"""The name of a right of a restricted key, which Stripe's refusal names."""


class ApiKey(Protocol):
    def __call__(self, *, fresh: bool = False) -> str:
        """The key in force; `fresh` reads it past every cache."""


class StripeApi:
    """Stripe's API at a URL, with the key in force; raises what `api_key` raises."""

    def __init__(self, api_key: ApiKey, url: str) -> None:
        self._api_key = api_key
        self._url = url
        self._client: tuple[str, stripe.StripeClient] | None = None

    @property
    def client(self) -> stripe.StripeClient:
        """The SDK's client, made anew when the key has been rolled."""
        api_key = self._api_key()
        if self._client is None or self._client[0] != api_key:
            self._client = api_key, _client(api_key, self._url, self._api_key)
        return self._client[1]


class _FreshKey(stripe.HTTPClient):
    """A transport that reads the key anew, once, when Stripe refuses the one that a call was made with.

    A key that is rolled in Stripe's Dashboard may end at once (https://docs.stripe.com/keys#rolling-keys),
    while a warm process still keeps the old one for minutes. The call keeps its idempotency key: Stripe
    stores no answer to a call that it did not let in.
    """

    name = "fresh_key"

    def __init__(self, transport: stripe.HTTPClient, api_key: ApiKey) -> None:
        super().__init__()
        self._transport = transport
        self._api_key = api_key

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *given: Any,  # noqa: ANN401 the SDK's own
        **named: Any,  # noqa: ANN401 the SDK's own
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self._transport.request_with_retries(method, url, headers, *given, **named)
        if answer[1] != UNAUTHORIZED:
            return answer
        authorization = f"Bearer {self._api_key(fresh=True)}"
        if authorization == headers["Authorization"]:
            return answer
        again = {**headers, "Authorization": authorization}
        return self._transport.request_with_retries(method, url, again, *given, **named)

    def close(self) -> None:
        self._transport.close()  # type: ignore[no-untyped-call] # the SDK's own


def _client(api_key: str, url: str, fresh: ApiKey) -> stripe.StripeClient:
    # No file in the home folder, no identifier of this machine in the requests.
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        max_network_retries=MAX_NETWORK_RETRIES,
        base_addresses={"api": url},
        http_client=_FreshKey(stripe.RequestsClient(timeout=TIMEOUT_SECONDS), fresh),
    )


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Turn what may pass into `Retryable`: by itself, as no connection, a fault of Stripe's or the rate limit
    do; or once an operator has stored another key (https://docs.stripe.com/error-handling)."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Retryable("StripeUnavailable", "Stripe could not be reached") from error
    except stripe.APIError as error:
        raise Retryable("StripeUnavailable", f"Stripe answered {error.http_status}") from error
    except stripe.AuthenticationError as error:
        raise Retryable("StripeRefusesKey", "Stripe does not know the stored API key") from error
    except stripe.PermissionError as error:
        raise Retryable("StripeRefusesKey", f"Stripe's key lacks {_rights(error)}") from error


def _rights(error: stripe.PermissionError) -> str:
    """The rights that Stripe names; nothing else of its message, which also shows part of the key."""
    return " or ".join(dict.fromkeys(RIGHT.findall(str(error)))) or "a right"
