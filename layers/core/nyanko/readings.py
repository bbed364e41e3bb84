"""What an event of Stripe's says of one purchase, as facts.

Which type means what for a purchase is listed in https://docs.stripe.com/payments/checkout/fulfill-orders.
Where the type of an event and the status of its object disagree, `read` names the rule.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.errors import Permanent
from nyanko.facts import REFUND_ORDER, Closing, Dispute, Facts, Refund
from nyanko.stripe_events import API_VERSION, StripeEvent
from nyanko.stripe_fields import integer, reference, text

SESSION_CLOSINGS: Mapping[str, Closing] = {
    "checkout.session.async_payment_failed": "async_failed",
    "checkout.session.expired": "expired",
}


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


def read(event: StripeEvent) -> Reading | None:
    """What the event says of a purchase of ours, or None when it says nothing: recorded as ignored.

    Not ours are types outside `HANDLED_EVENTS`, which end in the webhook, events of connected accounts, and
    Checkout Sessions without our purchase id in their metadata (payment links, subscriptions and other
    applications of the account).

    Raises `Permanent`: `UnsupportedApiVersion`, or `MalformedEvent` when a field is missing or misshapen.
    """
    reader = READERS.get(event.type)
    if reader is None or event.account is not None:
        return None
    if event.api_version != API_VERSION:
        raise Permanent(
            "UnsupportedApiVersion",
            f"{event.event_id} has API version {event.api_version}, not {API_VERSION}; "
            "recreate the webhook endpoint with that version",
        )
    return reader(event)


def refund_facts(refund: Mapping[str, Any]) -> Facts:
    """The facts of a refund object (https://docs.stripe.com/api/refunds/object)."""
    given = text(refund, "status")
    status = next((known for known in REFUND_ORDER if known == given), None)
    if status is None:
        raise Permanent("MalformedEvent", f"refund status {given!r} is not known")
    return Facts(refunds={text(refund, "id"): Refund(integer(refund, "amount"), status)})


def _read_session(event: StripeEvent) -> Reading | None:
    """Money counts as paid only when the session itself says so, whatever the event is called."""
    session = event.object
    metadata = session.get("metadata") or {}
    purchase_id = metadata.get("purchase_id") if isinstance(metadata, dict) else None
    if session.get("mode") != "payment" or not isinstance(purchase_id, str):
        return None
    amount = integer(session, "amount_total")
    payment_intent = reference(session, "payment_intent")
    paid = text(session, "payment_status") == "paid"
    return Reading(
        facts=Facts(
            paid=amount if paid else 0,
            pending=event.type == "checkout.session.completed" and not paid,
            closed=SESSION_CLOSINGS.get(event.type),
            payment_intent=payment_intent,
        ),
        purchase_id=purchase_id,
        payment_intent=payment_intent,
        amount=amount,
        currency=text(session, "currency"),
    )


def _read_charge(event: StripeEvent) -> Reading:
    charge = event.object
    return Reading(
        facts=Facts(),
        payment_intent=reference(charge, "payment_intent"),
        charge=text(charge, "id"),
        charge_refunds=True,
    )


def _read_refund(event: StripeEvent) -> Reading:
    """`refund.failed` means failed even if its object, rendered a moment earlier, still says otherwise."""
    refund = dict(event.object)
    if event.type == "refund.failed" and refund.get("status") != "canceled":
        refund["status"] = "failed"
    return Reading(
        facts=refund_facts(refund),
        payment_intent=reference(refund, "payment_intent"),
        charge=reference(refund, "charge"),
    )


def _read_dispute(event: StripeEvent) -> Reading:
    """Every dispute event carries the dispute as it was: its status decides, not the event's type."""
    dispute = event.object
    return Reading(
        facts=Facts(disputes={text(dispute, "id"): Dispute(text(dispute, "status"), event.created)}),
        payment_intent=reference(dispute, "payment_intent"),
        charge=reference(dispute, "charge"),
    )


READERS: Mapping[str, Callable[[StripeEvent], Reading | None]] = {
    "checkout.session.completed": _read_session,
    "checkout.session.async_payment_succeeded": _read_session,
    "checkout.session.async_payment_failed": _read_session,
    "checkout.session.expired": _read_session,
    "refund.created": _read_refund,
    "refund.updated": _read_refund,
    "refund.failed": _read_refund,
    "charge.refund.updated": _read_refund,
    "charge.refunded": _read_charge,
    "charge.dispute.created": _read_dispute,
    "charge.dispute.updated": _read_dispute,
    "charge.dispute.funds_withdrawn": _read_dispute,
    "charge.dispute.funds_reinstated": _read_dispute,
    "charge.dispute.closed": _read_dispute,
}
"""Who reads an event of which type: exactly `HANDLED_EVENTS`, which a contract test holds."""
