"""Stripe's API in memory, as transport of the unmodified SDK: what our functions ask of it, nothing more."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe

from tests.data import name_in


def created_session(purchase_id: str) -> dict[str, Any]:
    """The Checkout Session that is created here for a purchase: the one that its events are of."""
    session_id = f"cs_test_{name_in(purchase_id)}"
    return {
        "id": session_id,
        "object": "checkout.session",
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
    }


ACCOUNT_API_VERSION = "2020-08-27"
"""What the account's events are rendered in, whatever version a request has
(https://docs.stripe.com/api/events/list)."""

Answer = tuple[str, int, dict[str, str]]


class StripeApi(stripe.HTTPClient):
    """`events` and `charges` are by id, `sessions` by PaymentIntent, `refunds` by charge or PaymentIntent,
    `disputes` by PaymentIntent; `checkouts` are all sessions, with payment and charge in place of their ids.

    An event that is asked for has `ACCOUNT_API_VERSION`, and of its object no more than a pointer: whoever
    reads more of it reads what Stripe does not promise. `objects` by id are as they are now, if no longer as
    they were in their newest event.

    While `down`, every call is answered 503. A page holds `page_size` things, whatever was asked for.
    """

    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.refunds: dict[str, list[dict[str, Any]]] = {}
        self.disputes: dict[str, list[dict[str, Any]]] = {}
        self.checkouts: list[dict[str, Any]] = []
        self.expired: list[str] = []
        self.page_size = 100
        self.down = False
        self.asked: list[str] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_options: Any) -> Answer:  # noqa: ARG002
        location = urlsplit(url)
        self.asked.append(f"{method.upper()} {location.path}")
        if self.down:
            return _error(503, "api_error", "Stripe is down")
        query = {name: values[0] for name, values in parse_qs(location.query).items()}
        match location.path.split("/")[2:]:
            case ["events"]:
                return self._page(location.path, [_pointer(event) for event in self.events.values()], query)
            case ["events", event_id]:
                event = self.events.get(event_id)
                return _found(_pointer(event) if event else None)
            case ["charges", charge_id] if charge_id in self.charges:
                return _found(self.charges[charge_id])
            case ["charges" | "refunds" | "disputes", object_id] | ["checkout", "sessions", object_id]:
                return _found(self.objects.get(object_id) or self._as_last_told(object_id))
            case ["checkout", "sessions"] if method == "post":
                [purchase_id] = parse_qs(post_data)["client_reference_id"]
                return json.dumps(created_session(purchase_id)), 200, {}
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

    def _as_last_told(self, object_id: str) -> dict[str, Any] | None:
        told = [event for event in self.events.values() if event["data"]["object"]["id"] == object_id]
        newest = max(told, key=lambda event: event["created"], default=None)
        return newest["data"]["object"] if newest else None

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


def _pointer(event: dict[str, Any]) -> dict[str, Any]:
    about = event["data"]["object"]
    pointer = {"id": about["id"], "object": about["object"]}
    return {**event, "api_version": ACCOUNT_API_VERSION, "data": {"object": pointer}}


def _found(stripe_object: dict[str, Any] | None) -> Answer:
    if stripe_object is None:
        return _error(404, "invalid_request_error", "No such object")
    return json.dumps(stripe_object), 200, {}


def _list(path: str, data: list[dict[str, Any]]) -> Answer:
    return json.dumps({"object": "list", "data": data, "has_more": False, "url": path}), 200, {}


def _error(status: int, error_type: str, message: str) -> Answer:
    return json.dumps({"error": {"type": error_type, "message": message}}), status, {}
