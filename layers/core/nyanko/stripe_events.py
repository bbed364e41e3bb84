"""Stripe's events, and which of them say anything of purchases.

The envelope's shape is https://docs.stripe.com/api/events/object; what is in it, `readings` reads.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.errors import BadInput, Permanent
from nyanko.stripe_fields import integer, text

API_VERSION = "2026-10-28.endive"
"""The version that the webhook endpoint is created with, and that Stripe is asked with. An event that Stripe
is asked for has the account's default version all the same (https://docs.stripe.com/api/events/list)."""

HANDLED_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refund.updated",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
"""What the endpoint asks Stripe for; `readings.READERS` has a reader for each."""

_EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,72}", re.ASCII)
"""An event id names its execution: 80 characters of these at most, and `-r<n>` must fit behind it
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A snapshot event; `created` is epoch seconds UTC, `account` the connected account it is of, if any.

    `object` is what the event is about, as it was when the event happened. If `retrieved_at` (epoch seconds
    UTC) is given, it is as it was then, in our version of the API.
    """

    event_id: str
    type: str
    created: int
    livemode: bool
    api_version: str | None
    account: str | None
    object: Mapping[str, Any]
    retrieved_at: int | None = None

    @property
    def told_at(self) -> int:
        """As of when the object is told, epoch seconds UTC."""
        return self.created if self.retrieved_at is None else self.retrieved_at


def parse(body: bytes) -> StripeEvent:
    """Read the envelope of a signed body; raises `BadInput` for all that is not a snapshot event."""
    try:
        envelope = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise BadInput("MalformedEvent", "the body is not JSON in UTF-8") from None
    if not isinstance(envelope, dict) or envelope.get("object") != "event":
        raise BadInput(
            "MalformedEvent",
            "the body is not a Stripe snapshot event; create the endpoint with event_payload=snapshot",
        )
    try:
        return _envelope(envelope)
    except Permanent as error:
        raise BadInput("MalformedEvent", error.message) from None


def _envelope(envelope: Mapping[str, Any]) -> StripeEvent:
    event_id = text(envelope, "id")
    if not _EXECUTION_NAME.fullmatch(event_id):
        raise Permanent("MalformedEvent", "id is not an event id of at most 72 letters, digits, _ and -")
    data = envelope.get("data")
    stripe_object = data.get("object") if isinstance(data, dict) else None
    if not isinstance(stripe_object, dict):
        raise Permanent("MalformedEvent", "data.object is not an object")
    if not isinstance(envelope.get("livemode"), bool):
        raise Permanent("MalformedEvent", "livemode is not a boolean")
    return StripeEvent(
        event_id=event_id,
        type=text(envelope, "type"),
        created=integer(envelope, "created"),
        livemode=envelope["livemode"],
        api_version=envelope.get("api_version"),
        account=envelope.get("account"),
        object=stripe_object,
    )
