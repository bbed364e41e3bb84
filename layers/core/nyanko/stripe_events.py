"""Reading Stripe's events: what an event says of one purchase, as facts.

Shapes follow https://docs.stripe.com/api/events/object at `API_VERSION`; which type means what for a purchase
is listed in https://docs.stripe.com/payments/checkout/fulfill-orders. Where the type of an event and the
status of its object disagree, `read` names the rule.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.errors import BadInput, Permanent
from nyanko.facts import REFUND_ORDER, Closing, Dispute, Facts, Refund

API_VERSION = "2026-10-28.endive"
"""The version that the webhook endpoint is created with, and so the shape of every event."""

SESSION_CLOSINGS: Mapping[str, Closing | None] = {
    "checkout.session.completed": None,
    "checkout.session.async_payment_succeeded": None,
    "checkout.session.async_payment_failed": "async_failed",
    "checkout.session.expired": "expired",
}
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
CHARGE_REFUNDED = "charge.refunded"
DISPUTE_EVENTS = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
HANDLED_EVENTS = frozenset(SESSION_CLOSINGS) | REFUND_EVENTS | DISPUTE_EVENTS | {CHARGE_REFUNDED}

_EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,72}", re.ASCII)
"""An event id names its execution: 80 characters of these at most, and `-r<n>` must fit behind it
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)."""


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A snapshot event; `created` is epoch seconds UTC, `account` the connected account it is of, if any."""

    event_id: str
    type: str
    created: int
    livemode: bool
    api_version: str | None
    account: str | None
    object: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one event says of one purchase.

    `purchase_id` is known from a Checkout Session's metadata; a refund or dispute knows only its
    `payment_intent` or `charge`. `amount` and `currency` are what Stripe was told to collect, where it says.
    `charge_refunds` asks for the charge's refunds to be listed: its event carries only their sum.
    """

    facts: Facts
    purchase_id: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    amount: int | None = None
    currency: str | None = None
    charge_refunds: bool = False


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


def read(event: StripeEvent) -> Reading | None:
    """What the event says of a purchase of ours, or None when it says nothing: recorded as ignored.

    Not ours are types outside `HANDLED_EVENTS`, which end in the webhook, events of connected accounts, and
    Checkout Sessions without our purchase id in their metadata (payment links, subscriptions and other
    applications of the account).

    Raises `Permanent`: `UnsupportedApiVersion`, or `MalformedEvent` when a field is missing or misshapen.
    """
    if event.type not in HANDLED_EVENTS or event.account is not None:
        return None
    if event.api_version != API_VERSION:
        raise Permanent(
            "UnsupportedApiVersion",
            f"{event.event_id} has API version {event.api_version}, not {API_VERSION}; "
            "recreate the webhook endpoint with that version",
        )
    if event.type in SESSION_CLOSINGS:
        return _read_session(event)
    if event.type in DISPUTE_EVENTS:
        return _read_dispute(event)
    if event.type == CHARGE_REFUNDED:
        charge = event.object
        return Reading(
            facts=Facts(),
            payment_intent=_reference(charge, "payment_intent"),
            charge=_text(charge, "id"),
            charge_refunds=True,
        )
    return _read_refund(event)


def refund_facts(refund: Mapping[str, Any]) -> Facts:
    """The facts of a refund object (https://docs.stripe.com/api/refunds/object)."""
    given = _text(refund, "status")
    status = next((known for known in REFUND_ORDER if known == given), None)
    if status is None:
        raise Permanent("MalformedEvent", f"refund status {given!r} is not known")
    return Facts(refunds={_text(refund, "id"): Refund(_integer(refund, "amount"), status)})


def _read_session(event: StripeEvent) -> Reading | None:
    """Money counts as paid only when the session itself says so, whatever the event is called."""
    session = event.object
    metadata = session.get("metadata") or {}
    purchase_id = metadata.get("purchase_id") if isinstance(metadata, dict) else None
    if session.get("mode") != "payment" or not isinstance(purchase_id, str):
        return None
    amount = _integer(session, "amount_total")
    payment_intent = _reference(session, "payment_intent")
    paid = _text(session, "payment_status") == "paid"
    return Reading(
        facts=Facts(
            paid=amount if paid else 0,
            pending=event.type == "checkout.session.completed" and not paid,
            closed=SESSION_CLOSINGS[event.type],
            payment_intent=payment_intent,
        ),
        purchase_id=purchase_id,
        payment_intent=payment_intent,
        amount=amount,
        currency=_text(session, "currency"),
    )


def _read_refund(event: StripeEvent) -> Reading:
    """`refund.failed` means failed even if its object, rendered a moment earlier, still says otherwise."""
    refund = dict(event.object)
    if event.type == "refund.failed" and refund.get("status") != "canceled":
        refund["status"] = "failed"
    return Reading(
        facts=refund_facts(refund),
        payment_intent=_reference(refund, "payment_intent"),
        charge=_reference(refund, "charge"),
    )


def _read_dispute(event: StripeEvent) -> Reading:
    """Every dispute event carries the dispute as it was: its status decides, not the event's type."""
    dispute = event.object
    return Reading(
        facts=Facts(disputes={_text(dispute, "id"): Dispute(_text(dispute, "status"), event.created)}),
        payment_intent=_reference(dispute, "payment_intent"),
        charge=_reference(dispute, "charge"),
    )


def _envelope(envelope: Mapping[str, Any]) -> StripeEvent:
    event_id = _text(envelope, "id")
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
        type=_text(envelope, "type"),
        created=_integer(envelope, "created"),
        livemode=envelope["livemode"],
        api_version=envelope.get("api_version"),
        account=envelope.get("account"),
        object=stripe_object,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Permanent("MalformedEvent", f"{name} is not a string")
    return value


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or value < 0:
        raise Permanent("MalformedEvent", f"{name} is not a whole number")
    return value


def _reference(fields: Mapping[str, Any], name: str) -> str | None:
    """The id in a field that Stripe fills with an id, the expanded object, or null."""
    value = fields.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if value is not None and not isinstance(value, str):
        raise Permanent("MalformedEvent", f"{name} is neither an id nor null")
    return value
