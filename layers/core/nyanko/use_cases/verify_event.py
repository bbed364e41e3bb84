"""Verify an event: is it authentic, of this stage, and of which purchase? What it says becomes facts.

Writing to the queue alone mints nothing: Stripe signed the event, or still knows it, or somebody who may
replay events vouches for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.deliveries import Delivery, fits
from nyanko.errors import BadInput, NotOurs, Permanent
from nyanko.readings import read
from nyanko.stripe_events import StripeEvent, parse
from nyanko.stripe_signature import check_signature
from nyanko.use_cases.find_purchase import Stored, Stripe, find_purchase, whole_facts

if TYPE_CHECKING:
    from nyanko.adapters.kms_replays import ReplayMacs
    from nyanko.payloads import VerifiedEvent

Vouch = Callable[[Delivery], None]
"""Raises `BadInput` (`InvalidSignature`) for a delivery that nobody vouches for."""


def vouched_by_stripe_or_operator(
    webhook_secrets: Callable[[], list[str]], replay_macs: "Callable[[], ReplayMacs]"
) -> Vouch:
    """Believe a body that a webhook secret in force signed, or an operator's key for its replay."""

    def vouch(delivery: Delivery) -> None:
        if "replay" in delivery:
            replay_macs().check(delivery, delivery["replay"])
        else:
            check_signature(
                delivery["body"].encode(),
                delivery["signature"],
                webhook_secrets(),
                delivery["received_at"],
            )

    return vouch


def authentic_event(delivery: Delivery, *, vouch: Vouch, stripe: Stripe) -> tuple[Delivery, StripeEvent]:
    """The event, and the delivery with the body that Stripe was asked for, if it can be carried.

    Raises `Permanent`: `BadSignature`, or `MalformedEvent`.
    """
    try:
        if delivery["body"]:
            body = delivery["body"]
            vouch(delivery)
        else:
            body = stripe().event(delivery["event_id"]) or ""
            fetched: Delivery = {**delivery, "body": body}
            delivery = fetched if fits(fetched) else delivery
        event = parse(body.encode())
    except BadInput as error:
        code = "BadSignature" if error.code == "InvalidSignature" else "MalformedEvent"
        raise Permanent(code, error.message) from error  # type: ignore[arg-type] # one of two literals
    if event.event_id != delivery["event_id"]:
        raise Permanent("MalformedEvent", f"delivered as {delivery['event_id']}, but it is {event.event_id}")
    return delivery, event


def verify_event(
    delivery: Delivery, event: StripeEvent, *, purchases: Stored, stripe: Stripe, livemode: bool
) -> "VerifiedEvent":
    """What an authentic event says of a purchase of ours.

    `livemode` is the stage's. Raises `NotOurs` for an event that says nothing of a purchase of ours, and
    `Permanent`: `WrongMode`, or what `read` raises.
    """
    reading = read(event)
    purchase_id = find_purchase(reading, purchases=purchases, stripe=stripe) if reading else None
    if reading is None or purchase_id is None:
        raise NotOurs(f"{event.event_id} is {event.type}, and not of a purchase of ours")
    if event.livemode != livemode:
        raise Permanent("WrongMode", f"{event.event_id} has livemode {event.livemode}, unlike this stage")
    return {
        **delivery,
        "type": event.type,
        "created": event.created,
        "purchase_id": purchase_id,
        "amount": reading.amount,
        "currency": reading.currency,
        "facts": whole_facts(reading, stripe=stripe).to_dict(),
    }
