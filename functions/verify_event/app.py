"""VerifyEvent: is it Stripe's, of this stage, and of which purchase? Says what it means as facts."""

from typing import Any

from aws_lambda_powertools import Logger

from nyanko import wiring
from nyanko.deliveries import Delivery
from nyanko.errors import BadInput, Permanent
from nyanko.facts import Facts
from nyanko.stripe_events import Reading, StripeEvent, parse, read, refund_facts
from nyanko.stripe_signature import check_signature

logger = Logger()


def lambda_handler(delivery: Delivery, _context: object) -> dict[str, Any]:
    event = _authentic(delivery)
    reading = read(event)
    purchase_id = _purchase_id(reading) if reading else None
    verified = {**delivery, "type": event.type, "created": event.created, "ours": purchase_id is not None}
    logger.info(
        "verified", extra={"event_id": event.event_id, "type": event.type, "purchase_id": purchase_id}
    )
    if reading is None or purchase_id is None:
        return verified
    if event.livemode != wiring.livemode():
        raise Permanent("WrongMode", f"{event.event_id} has livemode {event.livemode}, unlike this stage")
    return {
        **verified,
        "purchase_id": purchase_id,
        "amount": reading.amount,
        "currency": reading.currency,
        "facts": _all_facts(reading).to_dict(),
    }


def _authentic(delivery: Delivery) -> StripeEvent:
    """The event, by its signature or from Stripe itself: writing to the queue alone mints nothing."""
    body = delivery["body"].encode()
    try:
        if body:
            secrets = wiring.webhook_secrets()
            check_signature(body, delivery["signature"], secrets, delivery["received_at"])
        else:
            body = (wiring.stripe_checkout().event(delivery["event_id"]) or "").encode()
        event = parse(body)
    except BadInput as error:
        code = "BadSignature" if error.code == "InvalidSignature" else "MalformedEvent"
        raise Permanent(code, error.message) from error  # type: ignore[arg-type] # one of two literals
    if event.event_id != delivery["event_id"]:
        raise Permanent("MalformedEvent", f"delivered as {delivery['event_id']}, but it is {event.event_id}")
    return event


def _purchase_id(reading: Reading) -> str | None:
    """A session names its purchase; of a refund or dispute the payment leads to it, here or at Stripe."""
    if reading.purchase_id:
        return reading.purchase_id
    payment_intent = reading.payment_intent
    if payment_intent is None and reading.charge:
        payment_intent = wiring.stripe_checkout().payment_intent_of(reading.charge)
    if payment_intent is None:
        return None
    known = wiring.purchases().id_by_payment_intent(payment_intent)
    return known or wiring.stripe_checkout().purchase_id_of(payment_intent)


def _all_facts(reading: Reading) -> Facts:
    facts = reading.facts
    if reading.charge_refunds and reading.charge:
        for refund in wiring.stripe_checkout().refunds_of(reading.charge):
            facts = facts.merge(refund_facts(refund))
    return facts
