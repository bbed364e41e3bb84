"""What the workflow's states are given and what they answer (statemachines/payment.asl.yaml).

    VerifyInput ─► VerifiedEvent ─► RecordInput ─► PurchaseJson ─► GrantInput ─► NotifyInput ─► Notified
                                          any failure ─► ParkInput ─► Parked

All of it crosses the workflow as JSON. Times are epoch seconds UTC, amounts are integers in the currency's
minor unit.
"""

from typing import TypedDict

from nyanko.deliveries import Delivery
from nyanko.facts import FactsJson
from nyanko.notices import NoticeContent
from nyanko.parking import CaughtError
from nyanko.purchases import PurchaseJson


class VerifyInput(TypedDict):
    delivery: Delivery
    execution: str


class VerifiedEvent(Delivery):
    """The delivery with what its event says. `session_id`, `amount` and `currency` (what Stripe was told to
    collect) are None where the event does not say."""

    type: str
    created: int
    purchase_id: str
    session_id: str | None
    amount: int | None
    currency: str | None
    facts: FactsJson


class RecordInput(TypedDict):
    event_id: str
    purchase_id: str
    session_id: str | None
    execution: str
    amount: int | None
    currency: str | None
    facts: FactsJson


class GrantInput(TypedDict):
    """`purchase` is as it was recorded; `created` is when the event happened at Stripe."""

    event_id: str
    execution: str
    created: int
    purchase: PurchaseJson


class NotifyInput(TypedDict):
    """`purchase` is as it was granted."""

    event_id: str
    execution: str
    purchase: PurchaseJson
    notice: NoticeContent


class Notified(TypedDict):
    """How many of the player's connections took the notice, are gone, or could not be reached."""

    notice_id: str
    delivered: int
    gone: int
    failed: int


class ParkInput(TypedDict):
    event_id: str
    received_at: int
    body: str
    signature: str
    execution: str
    error: CaughtError


class Parked(TypedDict):
    """`parked` is False for an event that was finished meanwhile."""

    reason: str
    parked: bool
