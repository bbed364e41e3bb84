"""Reconcile with Stripe: ask again for events that never came to their end, close sessions that are overdue,
and find money that no event accounts for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nyanko.comparison import Comparison, StripePurchase, compare, stripe_purchase
from nyanko.deliveries import delivery_by_id
from nyanko.event_rows import EventRow
from nyanko.purchases import Purchase
from nyanko.readings import purchase_named_in
from nyanko.reconciliation import (
    DRIFT_SECONDS,
    HOUR_SECONDS,
    LOST,
    OVERDUE_SECONDS,
    WAITING,
    Checkpoint,
    EventProgress,
    event_progress,
)

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_checkpoints import Checkpoints
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.sqs_queue import Queue
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions
    from nyanko.adapters.stripe_records import StripeObject, StripeRecords

CHECKPOINT = "reconcile"


@dataclass(frozen=True, slots=True)
class ComparedEvent:
    """An event that Stripe lists, beside our row of it."""

    event_id: str
    type: str
    created: int
    row: EventRow | None
    progress: EventProgress


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Stripe has delivered nothing that it should have: `count` events of the last hour, which is all of
    them, did not arrive by themselves."""

    count: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """A session that Stripe should have closed, and that is closed now."""

    purchase_id: str
    session_id: str


Found = ComparedEvent | Undelivered | Overdue | Comparison


class Reconcile:
    """Overdue sessions are closed at Stripe; nothing else is written but events that go the way of all
    events."""

    def __init__(
        self,
        *,
        stripe: "StripeRecords",
        events: "Events",
        purchases: "Purchases",
        executions: "PaymentExecutions",
        queue: "Queue",
    ) -> None:
        self.stripe = stripe
        self._events = events
        self._purchases = purchases
        self._executions = executions
        self._queue = queue

    def next_pages(
        self, checkpoints: "Checkpoints", now: int, *, has_time: Callable[[], bool]
    ) -> Iterator[tuple[Checkpoint, Sequence[Found]]]:
        """Continue the reconciliation that was interrupted, or begin the next, page by page: how far it has
        come, and what was found. It ends when all is compared, or no time is left.

        Found are lost events, which are in the queue now; that none of the last hour was delivered; overdue
        sessions, which are closed now; and differences that nothing explains, where young is younger than
        `DRIFT_SECONDS`.
        """
        checkpoint = Checkpoint.resume(checkpoints.get(CHECKPOINT), now)
        yield checkpoint, []
        hour = checkpoint.until - HOUR_SECONDS
        recent: list[ComparedEvent] = []
        while not checkpoint.is_done and has_time():
            window = checkpoint.since, checkpoint.until, checkpoint.after
            found: Sequence[Found]
            if checkpoint.listing == "events":
                page = self.stripe.events(*window)
                compared = list(self.compared_events(page))
                found = list(self._ask_for_lost(compared, now))
                recent += [event for event in compared if event.created >= hour]
                if not page or page[-1]["created"] < hour:
                    found = [*found, *_undelivered(recent)]
                    recent = []
            else:
                page = self.stripe.sessions(*window)
                ours = [self.stripe_purchase(session) for session in page if purchase_named_in(session)]
                found = [*self._close_overdue(ours, now), *self._drifts(ours, now)]
            checkpoint = checkpoint.past(page)
            checkpoints.put(CHECKPOINT, checkpoint.to_dict())
            yield checkpoint, found

    def compared_events(self, page: "Sequence[StripeObject]") -> Iterator[ComparedEvent]:
        """What has become of each event of a page of Stripe's."""
        rows = self._events.get_many([event["id"] for event in page])
        for event in page:
            row = rows.get(event["id"])
            progress = event_progress(row, self._executions.status)
            yield ComparedEvent(event["id"], event["type"], event["created"], row, progress)

    def ask_again(self, event_id: str, now: int) -> None:
        """Put an event into the queue that never came to its end here."""
        self._queue.send(delivery_by_id(event_id, now))

    def stripe_purchase(self, session: "StripeObject") -> StripePurchase:
        """What a session of ours, with payment and charge in place, its refunds and its disputes say."""
        payment: Any = session.get("payment_intent") or {}
        charge = payment.get("latest_charge") or {}
        refunds = self.stripe.refunds_of(payment["id"]) if charge.get("amount_refunded") else []
        disputes = self.stripe.disputes_of(payment["id"]) if charge.get("disputed") else []
        return stripe_purchase(session, refunds, disputes)

    def compared(self, stripe: StripePurchase, purchase: Purchase | None, young_since: int) -> Comparison:
        """The payment beside the purchase that it names, with what explains a difference: Stripe's records
        changed since `young_since`, or an event of the purchase is on its way, or parked with an alarm of
        its own.

        A claimed one whose execution has ended explains nothing: it is lost, and nobody sees to it. One of
        another session, parked for good, explains that session alone.
        """
        found = compare(stripe, purchase)
        if not found.differences:
            return found
        if stripe.changed_at >= young_since:
            return replace(found, explained=True)
        rows = self._events.get_many(self._events.ids_of_purchase(stripe.purchase_id))
        telling = [
            row
            for row in rows.values()
            if found.own_session is not None or row.parked_reason != "OtherSession"
        ]
        waits = any(event_progress(row, self._executions.status) in WAITING for row in telling)
        return replace(found, explained=waits)

    def _ask_for_lost(self, events: Sequence[ComparedEvent], now: int) -> Iterator[ComparedEvent]:
        for event in events:
            if event.progress in LOST:
                self.ask_again(event.event_id, now)
                yield event

    def _close_overdue(self, ours: Sequence[StripePurchase], now: int) -> Iterator[Overdue]:
        for one in ours:
            if is_overdue(one, now) and self.stripe.expire(one.session_id):
                yield Overdue(one.purchase_id, one.session_id)

    def _drifts(self, ours: Sequence[StripePurchase], now: int) -> Iterator[Comparison]:
        bought = self._purchases.get_many([one.purchase_id for one in ours])
        by_id = {purchase.purchase_id: purchase for purchase in bought}
        for one in ours:
            compared = self.compared(one, by_id.get(one.purchase_id), now - DRIFT_SECONDS)
            if compared.differences and not compared.explained:
                yield compared


def _undelivered(recent: Sequence[ComparedEvent]) -> Iterator[Undelivered]:
    if recent and all(event.progress == "missing" for event in recent):
        yield Undelivered(len(recent))


def is_overdue(purchase: StripePurchase, now: int) -> bool:
    """Whether Stripe should have closed the purchase's session by now."""
    return purchase.is_open and now > purchase.expires_at + OVERDUE_SECONDS
