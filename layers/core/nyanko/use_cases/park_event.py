"""Park an event: set it aside with its reason, and tell the dead-letter queue, which rings the alarm."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nyanko.deliveries import DeadLetter
from nyanko.parking import event_in, parking_reason

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.sqs_queue import Queue
    from nyanko.payloads import ParkInput


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """`is_parked` is False for an event that was finished meanwhile; it stays as it is."""

    reason: str
    cause: str
    purchase_id: str | None
    is_parked: bool


def park_event(failed: "ParkInput", now: int, *, events: "Events", dead_letters: "Queue") -> ParkedEvent:
    reason, cause = parking_reason(failed["error"])
    event, purchase_id = event_in(failed["body"])
    is_parked = events.park(failed, reason, cause, event, purchase_id, now)
    if is_parked:
        dead_letters.send(
            DeadLetter(event_id=failed["event_id"], execution=failed["execution"], reason=reason, cause=cause)
        )
    return ParkedEvent(reason, cause, purchase_id, is_parked)
