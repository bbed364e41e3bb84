"""All that is known of one purchase, event, execution or player, from every table and from Stripe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from stripe import StripeError

from nyanko.errors import Retryable
from nyanko.event_rows import EventRow
from nyanko.executions import FORGOTTEN, Execution, event_id_of, execution_name, next_execution
from nyanko.ledger import LedgerRow
from nyanko.notices import Notice
from nyanko.pages import MAX_LIMIT, Page
from nyanko.purchases import Purchase, entitled, status
from nyanko.replays import ReplayRow
from ops.stages import Stage

Noun = Literal["event", "purchase", "execution", "player"]


class NothingFound(Exception):
    """Nothing here goes by that name."""


@dataclass(frozen=True, slots=True)
class EventStory:
    """An event's row, None if it is gone, with its executions and who replayed it."""

    event_id: str
    row: EventRow | None
    executions: list[Execution]
    replays: list[ReplayRow]


@dataclass(frozen=True, slots=True)
class PurchaseStory:
    """`session` is Stripe's, None if Stripe could not be asked."""

    purchase: Purchase
    session: Mapping[str, Any] | None
    events: list[EventStory]
    ledger: list[LedgerRow]
    notices: list[Notice]


@dataclass(frozen=True, slots=True)
class PlayerStory:
    player_id: str
    purchases: list[Purchase]
    inventory: Mapping[str, int]
    ledger: list[LedgerRow]
    notices: list[Notice]


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happened at a time (epoch seconds UTC); at equal times causes come before effects."""

    at: int
    rank: int
    what: str
    detail: str = field(compare=False)


def noun_of(name: str) -> Noun:
    """What a name is the name of, by its shape."""
    if name.startswith("pur_"):
        return "purchase"
    if name.startswith("arn:") or event_id_of(name) != name:
        return "execution"
    return "event" if name.startswith("evt_") else "player"


def of_event(stage: Stage, event_id: str) -> EventStory:
    """Raises `NothingFound` if neither a row nor an execution tells of the event."""
    row = stage.adapters.events.get(event_id)
    replays = stage.adapters.replays.of_event(event_id)
    ran = _executions(stage, event_id, row, [replay.execution for replay in replays])
    if row is None and not ran:
        raise NothingFound(f"{stage.name} knows no event {event_id}")
    return EventStory(event_id, row, ran, replays)


def of_purchase(stage: Stage, purchase_id: str) -> PurchaseStory:
    """Raises `NothingFound` if there is no such purchase."""
    adapters = stage.adapters
    purchase = adapters.purchases.get(purchase_id)
    if purchase is None:
        raise NothingFound(f"{stage.name} knows no purchase {purchase_id}")
    events = [of_event(stage, event_id) for event_id in adapters.events.ids_of_purchase(purchase_id)]
    lines = adapters.ledger.of_player(purchase.player_id)
    notices = adapters.notices.of_player(purchase.player_id)
    return PurchaseStory(
        purchase=purchase,
        session=_session(stage, purchase),
        events=events,
        ledger=[line for line in lines if line.is_of(purchase_id)],
        notices=[notice for notice in notices if notice.purchase_id == purchase_id],
    )


def of_player(stage: Stage, player_id: str) -> PlayerStory:
    """Raises `NothingFound` if the player never bought anything."""
    adapters = stage.adapters
    purchases, _ = adapters.purchases.of_player(player_id, Page(MAX_LIMIT))
    lines = adapters.ledger.of_player(player_id)
    if not purchases and not lines:
        raise NothingFound(f"{stage.name} knows no player {player_id} who bought anything")
    return PlayerStory(
        player_id=player_id,
        purchases=purchases,
        inventory=adapters.inventory.of_player(player_id),
        ledger=sorted(lines, key=lambda line: line.at),
        notices=adapters.notices.of_player(player_id),
    )


def moments(story: PurchaseStory) -> list[Moment]:
    """The purchase's life in the order of time."""
    purchase = story.purchase
    found = [
        Moment(
            purchase.created_at,
            0,
            "checkout",
            f"{purchase.quantity} × {purchase.product.product_id} for {purchase.amount} yen"
            f" by {purchase.player_id}",
        )
    ]
    if story.session:
        session = story.session
        found.append(
            Moment(
                session["created"],
                1,
                "session",
                f"{session['id']} is {session['status']}, payment {session['payment_status']}",
            )
        )
    for event in story.events:
        found += _moments_of_event(event)
    found += [
        Moment(line.at, 5, "ledger", f"{line.delta:+} {line.item_id} ({line.reason})")
        for line in story.ledger
    ]
    found += [
        Moment(notice.created_at, 6, "notice", f"{notice.content['status']} {_seen(notice)}")
        for notice in story.notices
    ]
    return sorted(found)


def standing(purchase: Purchase) -> dict[str, Any]:
    """Where a purchase stands, as figures and one word."""
    return {
        "status": status(purchase),
        "paid": purchase.facts.paid,
        "refunded": purchase.facts.refunded,
        "held": purchase.facts.held,
        "entitled": entitled(purchase),
        "granted": purchase.granted,
        "version": purchase.version,
    }


def _moments_of_event(event: EventStory) -> Iterator[Moment]:
    row = event.row
    if row and row.created is not None:
        yield Moment(row.created, 2, "event", f"{row.type} happened at Stripe ({event.event_id})")
    if row:
        yield Moment(row.received_at, 3, "received", event.event_id)
    for replay in event.replays:
        yield Moment(replay.at, 3, "replay", f"{replay.execution} by {replay.by}: {replay.reason}")
    for execution in event.executions:
        if execution.started_at is not None:
            path = " → ".join(execution.path)
            yield Moment(execution.started_at, 4, "execution", f"{execution.name} {execution.status}: {path}")
    if row and row.parked_at is not None:
        yield Moment(row.parked_at, 5, "parked", row.why)
    if row and row.applied_at is not None:
        yield Moment(row.applied_at, 5, "applied", event.event_id)


def _executions(stage: Stage, event_id: str, row: EventRow | None, on_record: list[str]) -> list[Execution]:
    """Every execution of an event that Step Functions remembers, or that its row names, the first one
    first."""
    following = next_execution(event_id, stage.adapters.payment_executions.status, on_record)
    names = [execution_name(event_id, 0)]
    while names[-1] != following.name:
        names.append(execution_name(event_id, len(names)))
    if not following.is_running:
        names.pop()
    if row and row.execution not in names:
        names.append(row.execution)
    found = [stage.adapters.execution_history.execution(name) for name in names]
    return [one for one in found if one.status != FORGOTTEN or (row and one.name == row.execution)]


def _seen(notice: Notice) -> str:
    return "seen by the client" if notice.acknowledged_at else "not seen yet"


def _session(stage: Stage, purchase: Purchase) -> Mapping[str, Any] | None:
    if purchase.session_id is None:
        return None
    try:
        return stage.adapters.stripe_records.session(purchase.session_id)
    except (Retryable, StripeError):
        return None


def clock(at: int) -> str:
    """A time for people, in their own time zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
