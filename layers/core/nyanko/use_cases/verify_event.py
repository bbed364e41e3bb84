"""Verify an event: is it authentic, of this stage, and of which purchase? What it says becomes facts.

Writing to the queue alone mints nothing: Stripe signed the event, or still knows it, or somebody who may
replay events vouches for it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nyanko.deliveries import Delivery, stored_delivery
from nyanko.errors import BadInput, NotOurs, Permanent, PermanentCode
from nyanko.readings import read
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS, StripeEvent, parse
from nyanko.stripe_fields import text
from nyanko.stripe_signature import check_signature
from nyanko.use_cases.find_purchase import Stored, Stripe, find_purchase, whole_facts

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
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


def authentic_event(
    delivery: Delivery,
    *,
    vouch: Vouch,
    events: "Callable[[], Events]",
    stripe: Stripe,
    now: Callable[[], int],
) -> tuple[Delivery, StripeEvent]:
    """The event, and the delivery with the body that is believed, "" if Stripe was asked instead.

    A delivery without a body names an event that somebody misses. If our own row has its body, and it can
    still be believed, that is read. Otherwise Stripe is asked, and its answer is a pointer: the event's
    object is retrieved in our version of the API, since the event is rendered in the account's default
    version.

    Raises `Permanent`: `BadSignature`, `MalformedEvent` or `UnknownToStripe`.
    """
    try:
        if delivery["body"]:
            vouch(delivery)
            event = parse(delivery["body"].encode())
        elif stored := _believed(delivery["event_id"], vouch, events):
            delivery, event = stored
        else:
            event = parse(stripe().event(delivery["event_id"]).encode())
            event = retrieved(event, stripe=stripe, now=now)
    except BadInput as error:
        code: PermanentCode = "BadSignature" if error.code == "InvalidSignature" else "MalformedEvent"
        raise Permanent(code, error.message) from error
    if event.event_id != delivery["event_id"]:
        raise Permanent("MalformedEvent", f"delivered as {delivery['event_id']}, but it is {event.event_id}")
    return delivery, event


def retrieved(event: StripeEvent, *, stripe: Stripe, now: Callable[[], int]) -> StripeEvent:
    """The event with its object as Stripe has it now; one that says nothing of purchases as it is.

    Facts merge, so that the object of today is as good as the one of the event. The clock is read before the
    call: whatever changes after that is told later.
    """
    if event.type not in HANDLED_EVENTS:
        return event
    at = now()
    kind, object_id = text(event.object, "object"), text(event.object, "id")
    return replace(event, object=stripe().object(kind, object_id), retrieved_at=at)


def verify_event(
    delivery: Delivery,
    event: StripeEvent,
    *,
    purchases: Stored,
    stripe: Stripe,
    now: Callable[[], int],
    livemode: bool,
) -> "VerifiedEvent":
    """What an authentic event says of a purchase of ours.

    An event in another version of the API is read as it is; if a field that we need is missing there or
    misshapen, its object is retrieved in ours. `livemode` is the stage's. Raises `NotOurs` for an event that
    says nothing of a purchase of ours, and `Permanent`: `WrongMode`, or what `read` raises.
    """
    try:
        reading = read(event)
    except Permanent:
        if event.api_version == API_VERSION or event.retrieved_at is not None:
            raise
        reading = read(retrieved(event, stripe=stripe, now=now))
    found = find_purchase(reading, purchases=purchases, stripe=stripe) if reading else None
    if reading is None or found is None:
        raise NotOurs(f"{event.event_id} is {event.type}, and not of a purchase of ours")
    if event.livemode != livemode:
        raise Permanent("WrongMode", f"{event.event_id} has livemode {event.livemode}, unlike this stage")
    purchase_id, session_id = found
    return {
        **delivery,
        "type": event.type,
        "created": event.created,
        "purchase_id": purchase_id,
        "session_id": session_id,
        "amount": reading.amount,
        "currency": reading.currency,
        "facts": whole_facts(reading, stripe=stripe).to_dict(),
    }


def _believed(
    event_id: str, vouch: Vouch, events: "Callable[[], Events]"
) -> tuple[Delivery, StripeEvent] | None:
    """The event as our own row has it, with the signature and time that it came with, if they still hold."""
    row = events().get(event_id)
    if row is None or not row.body:
        return None
    stored = stored_delivery(row)
    try:
        vouch(stored)
        return stored, parse(row.body.encode())
    except BadInput:
        return None
