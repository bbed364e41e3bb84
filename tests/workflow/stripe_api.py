"""Stripe's API in memory, as transport of the unmodified SDK: what our functions ask of it, nothing more."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe

OPENED = {
    "id": "cs_test_opened",
    "object": "checkout.session",
    "url": "https://checkout.stripe.com/c/pay/cs_test_opened",
}
"""Every Checkout Session that is created here."""

Answer = tuple[str, int, dict[str, str]]


class StripeApi(stripe.HTTPClient):
    """`events` and `charges` are by id, `sessions` by PaymentIntent, `refunds` by charge or PaymentIntent,
    `disputes` by PaymentIntent; `checkouts` are all sessions, with payment and charge in place of their ids.

    While `down`, every call is answered 503. A page holds `page_size` things, whatever was asked for.
    """

    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.refunds: dict[str, list[dict[str, Any]]] = {}
        self.disputes: dict[str, list[dict[str, Any]]] = {}
        self.checkouts: list[dict[str, Any]] = []
        self.expired: list[str] = []
        self.page_size = 100
        self.down = False
        self.asked: list[str] = []

    def request(self, method: str, url: str, *_headers_and_body: Any, **_options: Any) -> Answer:
        location = urlsplit(url)
        self.asked.append(f"{method.upper()} {location.path}")
        if self.down:
            return _error(503, "api_error", "Stripe is down")
        query = {name: values[0] for name, values in parse_qs(location.query).items()}
        match location.path.split("/")[2:]:
            case ["events"]:
                return self._page(location.path, list(self.events.values()), query)
            case ["events", event_id]:
                return _found(self.events.get(event_id))
            case ["charges", charge_id]:
                return _found(self.charges.get(charge_id))
            case ["checkout", "sessions"] if method == "post":
                return json.dumps(OPENED), 200, {}
            case ["checkout", "sessions", session_id, "expire"]:
                self.expired.append(session_id)
                return json.dumps({"id": session_id, "object": "checkout.session"}), 200, {}
            case ["checkout", "sessions"] if "payment_intent" in query:
                return _list(location.path, self.sessions.get(query["payment_intent"], []))
            case ["checkout", "sessions"]:
                return self._page(location.path, self.checkouts, query)
            case ["refunds"]:
                of = query.get("charge") or query["payment_intent"]
                return _list(location.path, self.refunds.get(of, []))
            case ["disputes"]:
                return _list(location.path, self.disputes.get(query["payment_intent"], []))
        raise NotImplementedError(f"say here what Stripe answers to {method} {location.path}")

    def close(self) -> None:
        """There is no connection."""

    def _page(self, path: str, found: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        """Newest first, between two times, following the one that was seen last."""
        since, until = int(query["created[gte]"]), int(query["created[lt]"])
        meant = [one for one in found if since <= one["created"] < until]
        meant.sort(key=lambda one: (one["created"], one["id"]), reverse=True)
        ids = [one["id"] for one in meant]
        start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        return _list(path, meant[start : start + self.page_size])

    def _sleep_time_seconds(self, *_args: Any, **_kwargs: Any) -> float:
        """The SDK's own retries, without the wait between them."""
        return 0


def _found(stripe_object: dict[str, Any] | None) -> Answer:
    if stripe_object is None:
        return _error(404, "invalid_request_error", "No such object")
    return json.dumps(stripe_object), 200, {}


def _list(path: str, data: list[dict[str, Any]]) -> Answer:
    return json.dumps({"object": "list", "data": data, "has_more": False, "url": path}), 200, {}


def _error(status: int, error_type: str, message: str) -> Answer:
    return json.dumps({"error": {"type": error_type, "message": message}}), status, {}
