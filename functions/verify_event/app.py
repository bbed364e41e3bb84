"""VerifyEvent: is it Stripe's, of this stage, and of which purchase? Says what it means as facts.

Raises `NotOurs` for an event that says nothing of a purchase of ours.
"""

from typing import Any

from nyanko import wiring
from nyanko.deliveries import Delivery, fits
from nyanko.errors import BadInput, NotOurs, Permanent
from nyanko.readings import read
from nyanko.stripe_events import StripeEvent, parse
from nyanko.stripe_signature import check_signature

logger = wiring.logger()


def lambda_handler(called: dict[str, Any], _context: object) -> dict[str, Any]:
    delivery, event = _authentic(called["delivery"])
    reading = read(event)
    purchase_id = wiring.attribution().purchase_id(reading) if reading else None
    logger.info(
        "verified",
        extra={
            "event_id": event.event_id,
            "purchase_id": purchase_id,
            "execution": called["execution"],
            "type": event.type,
        },
    )
    if reading is None or purchase_id is None:
        raise NotOurs(f"{event.event_id} is {event.type}, and not of a purchase of ours")
    if event.livemode != wiring.livemode():
        raise Permanent("WrongMode", f"{event.event_id} has livemode {event.livemode}, unlike this stage")
    return {
        **delivery,
        "type": event.type,
        "created": event.created,
        "purchase_id": purchase_id,
        "amount": reading.amount,
        "currency": reading.currency,
        "facts": wiring.attribution().facts(reading).to_dict(),
    }


def _authentic(delivery: Delivery) -> tuple[Delivery, StripeEvent]:
    """The event, and the delivery with the body that Stripe was asked for, if it can be carried.

    Writing to the queue alone mints nothing: Stripe signed the event, or still knows it, or somebody who may
    replay events vouches for it.
    """
    try:
        if not delivery["body"]:
            body = wiring.stripe_checkout().event(delivery["event_id"]) or ""
            asked: Delivery = {**delivery, "body": body}
            delivery = asked if fits(asked) else delivery
        else:
            body = delivery["body"]
            _check(delivery)
        event = parse(body.encode())
    except BadInput as error:
        code = "BadSignature" if error.code == "InvalidSignature" else "MalformedEvent"
        raise Permanent(code, error.message) from error  # type: ignore[arg-type] # one of two literals
    if event.event_id != delivery["event_id"]:
        raise Permanent("MalformedEvent", f"delivered as {delivery['event_id']}, but it is {event.event_id}")
    return delivery, event


def _check(delivery: Delivery) -> None:
    """Raise `BadInput` (`InvalidSignature`) for a body that nobody vouches for."""
    if "replay" in delivery:
        wiring.replay_macs().check(delivery, delivery["replay"])
    else:
        check_signature(
            delivery["body"].encode(),
            delivery["signature"],
            wiring.webhook_secrets(),
            delivery["received_at"],
        )
