"""The dashboard: what happened, and what to make happen next.

GET  /dashboard                        sessions and events with their delivery attempts
POST /dashboard/events/{id}/resend     deliver an event once more to every endpoint that wants it

An action answers 303 back to the page, or the outcome as JSON to `Accept: application/json`.
Nobody logs in: the stand-in listens on 127.0.0.1 only.
"""

import dataclasses
from typing import Any

from flask import Response, jsonify, make_response, redirect, render_template, request

from local.stripe.deliveries import rendered, resend
from local.stripe.store import Account
from local.stripe.views import Route

SHOWN = 100
"""The newest of each kind that the page lists."""


def _show(account: Account) -> Response:
    page = render_template(
        "dashboard.html",
        sessions=account.every("checkout.session")[:SHOWN],
        events=[rendered(account, event) for event in account.every("event")[:SHOWN]],
        deliveries=account.deliveries,
        endpoints=account.objects["webhook_endpoint"],
    )
    return make_response(page)


def _resend(account: Account, event_id: str) -> Response:
    deliveries = resend(account, account.get("event", event_id))
    return _done({"event": event_id, "deliveries": [dataclasses.asdict(one) for one in deliveries]})


ROUTES: list[Route] = [
    ("GET", "", _show),
    ("POST", "/events/<event_id>/resend", _resend),
]


def _done(outcome: dict[str, Any]) -> Response:
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(outcome)
    return make_response(redirect("/dashboard", code=303))
