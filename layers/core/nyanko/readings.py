"""What an event of Stripe's says of one purchase, as facts.

Which type means what for a purchase is listed in https://docs.stripe.com/payments/checkout/fulfill-orders.
An event is read as it was delivered, in whatever version of the API, or by its object as Stripe has it now.
Where the type of an event and the status of its object disagree, the reader names the rule.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.errors import Permanent
from nyanko.facts import INQUIRIES, REFUND_ORDER, Closing, Dispute, Facts, Refund
from nyanko.purchases import PURCHASE_ID
from nyanko.stripe_events import StripeEvent
from nyanko.stripe_fields import integer, optional_integers, reference, text

CURRENCY = "jpy"
"""What we sell for, and what disputes are told in unless the bank's currency is another."""

RELEASED = INQUIRIES | {"won", "warning_closed", "prevented"}
"""Statuses of a dispute in which nothing is away, unless its balance transactions show it
(https://docs.stripe.com/disputes/how-disputes-work)."""


SESSION_STATUS: Mapping[str, str] = {
    "checkout.session.completed": "complete",
    "checkout.session.expired": "expired",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one event says of one purchase.

    `purchase_id` and `session_id` are known from a Checkout Session; a refund or dispute knows only its
    `payment_intent` or `charge`. `amount` and `currency` are what Stripe was told to collect, where it says.
    `charge_refunds` asks for the charge's refunds to be listed: its event carries only their sum.
    """

    facts: Facts
    purchase_id: str | None = None
    session_id: str | None = None
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

    Raises `Permanent` (`MalformedEvent`) when a field is missing or misshapen.
    """
    reader = READERS.get(event.type)
    return None if reader is None or event.account is not None else reader(event)


def purchase_named_in(session: Mapping[str, Any]) -> str | None:
    """The purchase of ours that a Checkout Session's metadata names."""
    metadata = session.get("metadata")
    named = metadata.get("purchase_id") if isinstance(metadata, dict) else None
    is_ours = session.get("mode") == "payment" and isinstance(named, str) and PURCHASE_ID.fullmatch(named)
    return named if is_ours else None


def refund_facts(refund: Mapping[str, Any]) -> Facts:
    """The facts of a refund object (https://docs.stripe.com/api/refunds/object)."""
    given = text(refund, "status")
    status = next((known for known in REFUND_ORDER if known == given), None)
    if status is None:
        raise Permanent("MalformedEvent", f"refund status {given!r} is not known")
    return Facts(refunds={text(refund, "id"): Refund(integer(refund, "amount"), status)})


def dispute_facts(dispute: Mapping[str, Any], at: int) -> Facts:
    """The facts of a dispute object as it stood at `at` (https://docs.stripe.com/api/disputes/object).

    What is away follows from its balance transactions, without Stripe's fee, which is ours to bear. Before
    there are any, an open or lost dispute has taken its amount, in a currency that is not ours all that was
    paid. A status that this code does not know counts as open.
    """
    status = text(dispute, "status")
    moved = optional_integers(dispute, "balance_transactions", "amount")
    away: int | None
    if moved:
        away = max(0, -sum(moved))
    elif status in RELEASED:
        away = 0
    else:
        away = integer(dispute, "amount") if text(dispute, "currency") == CURRENCY else None
    return Facts(disputes={text(dispute, "id"): Dispute(status, away, at)})


def _read_session(event: StripeEvent) -> Reading | None:
    """Money counts as paid only when the session itself says so, whatever the event is called."""
    session = event.object
    purchase_id = purchase_named_in(session)
    if purchase_id is None:
        return None
    amount = integer(session, "amount_total")
    payment_intent = reference(session, "payment_intent")
    paid = text(session, "payment_status") == "paid"
    status = _session_status(event)
    return Reading(
        facts=Facts(
            paid=amount if paid else 0,
            pending=status == "complete" and not paid,
            closed=_closing(event, status),
            payment_intent=payment_intent,
        ),
        purchase_id=purchase_id,
        session_id=text(session, "id"),
        payment_intent=payment_intent,
        amount=amount,
        currency=text(session, "currency"),
    )


def _session_status(event: StripeEvent) -> str:
    """As the type of a delivered event says it: older versions of the API have no status in the session."""
    if event.retrieved_at is not None:
        return text(event.object, "status")
    return SESSION_STATUS.get(event.type, "")


def _closing(event: StripeEvent, status: str) -> Closing | None:
    # No session shows that a delayed payment failed: it stays complete and unpaid.
    if event.type == "checkout.session.async_payment_failed":
        return "async_failed"
    return "expired" if status == "expired" else None


def _read_refund(event: StripeEvent) -> Reading:
    """`refund.failed` means failed even if its object, rendered a moment earlier, still says otherwise."""
    refund = dict(event.object)
    is_as_delivered = event.retrieved_at is None
    if is_as_delivered and event.type == "refund.failed" and refund.get("status") != "canceled":
        refund["status"] = "failed"
    return Reading(
        facts=refund_facts(refund),
        payment_intent=reference(refund, "payment_intent"),
        charge=reference(refund, "charge"),
    )


def _read_charge(event: StripeEvent) -> Reading:
    charge = event.object
    return Reading(
        facts=Facts(),
        payment_intent=reference(charge, "payment_intent"),
        charge=text(charge, "id"),
        charge_refunds=True,
    )


def _read_dispute(event: StripeEvent) -> Reading:
    """Every dispute event carries the dispute as it was: its status decides, not the event's type.

    But for `funds_reinstated` with an open dispute and no balance transactions: the picture was taken before
    the money came back, and tells nothing.
    """
    dispute = event.object
    facts = dispute_facts(dispute, event.told_at)
    is_stale = (
        event.retrieved_at is None
        and event.type == "charge.dispute.funds_reinstated"
        and not dispute.get("balance_transactions")
        and not any(fact.ended for fact in facts.disputes.values())
    )
    return Reading(
        facts=Facts() if is_stale else facts,
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
