"""Find the purchase that an event is about, and all that the event says of it.

A refund or dispute knows its payment alone, and `charge.refunded` only the sum of the charge's refunds. Our
own purchases are asked before Stripe is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.facts import Facts
from nyanko.readings import Reading, purchase_named_in, refund_facts

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.stripe_lookups import StripeLookups

Stored = Callable[[], "Purchases"]
Stripe = Callable[[], "StripeLookups"]
"""Called when they are needed: most events need neither, and a cold start pays for their imports."""


def find_purchase(reading: Reading, *, purchases: Stored, stripe: Stripe) -> tuple[str, str | None] | None:
    """The id of the purchase that the event names, or that its payment leads to, here or at Stripe, and that
    of the session that leads there, if one does.

    None if it is of another application, or of another payment than that of the session that we opened."""
    if reading.purchase_id:
        return reading.purchase_id, reading.session_id
    payment_intent = reading.payment_intent
    if payment_intent is None and reading.charge:
        payment_intent = stripe().payment_intent_of(reading.charge)
    if payment_intent is None:
        return None
    if known := purchases().id_by_payment_intent(payment_intent):
        return known, None
    session = stripe().session_of(payment_intent)
    purchase_id = purchase_named_in(session) if session else None
    if session is None or purchase_id is None:
        return None
    purchase = purchases().get(purchase_id)
    if purchase and not purchase.accepts_session(session["id"]):
        return None
    return purchase_id, session["id"]


def whole_facts(reading: Reading, *, stripe: Stripe) -> Facts:
    """The reading's facts, with the refunds of the charge if the event carries only their sum."""
    facts = reading.facts
    if reading.charge_refunds and reading.charge:
        for refund in stripe().refunds_of(reading.charge):
            facts = facts.merge(refund_facts(refund))
    return facts
