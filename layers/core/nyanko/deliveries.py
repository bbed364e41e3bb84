"""One event on its way from the webhook through queue and workflow."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from nyanko.executions import event_id_of

if TYPE_CHECKING:
    from nyanko.event_rows import EventRow

MAX_BYTES = 240_000
"""Step Functions carries 256 KiB from state to state; the rest is for what the states add
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class Vouching(TypedDict):
    """Who has an event run again, when (epoch seconds UTC) and why.

    `mac` vouches for all of it and for the event's body; `replay_macs` says how.
    """

    by: str
    at: int
    reason: str
    mac: str


class Delivery(TypedDict):
    """`body` is the signed text and `signature` its Stripe-Signature header, received at epoch seconds UTC.

    Both are "" for an event that is to be fetched from Stripe by its id: one too large to be carried, or one
    that reconciliation found. A replayed event keeps the body, signature and time that it came with.
    """

    event_id: str
    received_at: int
    body: str
    signature: str
    replay: NotRequired[Vouching]


class DeadLetter(TypedDict):
    """The message in the dead-letter queue about an event that is parked. ParkEvent writes it or, if that
    fails, the workflow itself; the event stays in its row."""

    event_id: str
    execution: str
    reason: str
    cause: str


def new_delivery(event_id: str, received_at: int, body: str, signature: str) -> Delivery:
    delivery = Delivery(event_id=event_id, received_at=received_at, body=body, signature=signature)
    return delivery if fits(delivery) else delivery_by_id(event_id, received_at)


def delivery_by_id(event_id: str, received_at: int) -> Delivery:
    """An event whose body Stripe is asked for, which it can answer for 30 days
    (https://docs.stripe.com/api/events)."""
    return Delivery(event_id=event_id, received_at=received_at, body="", signature="")


def stored_delivery(row: "EventRow") -> Delivery:
    """An event as it was delivered when it was claimed; one that never was is to be fetched from Stripe."""
    return Delivery(
        event_id=row.event_id, received_at=row.received_at, body=row.body, signature=row.signature
    )


def fits(delivery: Delivery) -> bool:
    return len(json.dumps(delivery)) <= MAX_BYTES


def delivery_in(message: Mapping[str, Any], now: int) -> Delivery:
    """The delivery in a message of the queue.

    A dead letter that was moved back names an event, or the execution of one, and says no more: the event is
    fetched from Stripe. Raises `KeyError` for a message that names neither.
    """
    if "body" in message:
        delivery = Delivery(
            event_id=message["event_id"],
            received_at=message["received_at"],
            body=message["body"],
            signature=message["signature"],
        )
        if "replay" in message:
            delivery["replay"] = message["replay"]
        return delivery
    event_id = message["event_id"] if "event_id" in message else event_id_of(message["execution"])
    return delivery_by_id(event_id, now)
