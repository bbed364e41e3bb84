"""Accept an event: what Stripe signed goes into the queue, and nothing else does."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nyanko.deliveries import new_delivery
from nyanko.stripe_events import HANDLED_EVENTS, StripeEvent, parse
from nyanko.stripe_signature import check_signature

if TYPE_CHECKING:
    from nyanko.adapters.sqs_queue import Queue


def signed_event(body: bytes, signature: str, secrets: Iterable[str], received_at: int) -> StripeEvent:
    """The event in a body that one of the secrets signed. Raises `BadInput` for anything else."""
    check_signature(body, signature, secrets, received_at)
    return parse(body)


def accept_event(
    event: StripeEvent, body: bytes, signature: str, received_at: int, *, queue: "Queue"
) -> bool:
    """Put a signed event into the queue; False for a type that says nothing of purchases, which is none that
    the endpoint asks Stripe for. Raises `Retryable` when the queue cannot take it."""
    if event.type not in HANDLED_EVENTS:
        return False
    queue.send(new_delivery(event.event_id, received_at, body.decode(), signature))
    return True
