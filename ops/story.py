"""All that is known of one purchase, event, execution or player, from every table and from Stripe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from stripe import StripeError

from nyanko.errors import Retryable
from nyanko.pages import MAX_LIMIT, Page
from nyanko.purchases import Purchase, entitled, status
from ops import executions, tables
from ops.executions import Execution
from ops.parked import why
from ops.stages import Stage

Noun = Literal["event", "purchase", "execution", "player"]


class NothingFound(Exception):
    """Nothing here goes by that name."""


@dataclass(frozen=True, slots=True)
class EventStory:
    """An event's row, None if it is gone, with its executions and who replayed it."""

    event_id: str
    row: Mapping[str, Any] | None
    executions: list[Execution]
    replays: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PurchaseStory:
    """`session` is Stripe's, None if Stripe could not be asked."""

    purchase: Purchase
    session: Mapping[str, Any] | None
    events: list[EventStory]
    ledger: list[Mapping[str, Any]]
    notices: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PlayerStory:
    player_id: str
    purchases: list[Purchase]
    inventory: Mapping[str, int]
    ledger: list[Mapping[str, Any]]
    notices: list[Mapping[str, Any]]


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
    if name.startswith("arn:") or executions.event_in(name) != name:
        return "execution"
    return "event" if name.startswith("evt_") else "player"


def of_event(stage: Stage, event_id: str) -> EventStory:
    """Raises `NothingFound` if neither a row nor an execution tells of the event."""
    row = stage.events.get(event_id)
    replays = tables.replays_of(stage, event_id)
    ran = executions.of_event(stage, event_id, row, len(replays))
    if row is None and not ran:
        raise NothingFound(f"{stage.name} knows no event {event_id}")
    return EventStory(event_id, row, ran, [*replays])


def of_purchase(stage: Stage, purchase_id: str) -> PurchaseStory:
    """Raises `NothingFound` if there is no such purchase."""
    purchase = stage.purchases.get(purchase_id)
    if purchase is None:
        raise NothingFound(f"{stage.name} knows no purchase {purchase_id}")
    events = [of_event(stage, event_id) for event_id in stage.events.ids_of_purchase(purchase_id)]
    lines = tables.ledger(stage, purchase.player_id)
    notices = tables.rows_of(stage, "notices", "player_id", purchase.player_id)
    return PurchaseStory(
        purchase=purchase,
        session=_session(stage, purchase),
        events=events,
        ledger=[line for line in lines if line["line_id"].startswith(f"{purchase_id}#")],
        notices=[row for row in notices if row["notice"].get("purchase_id") == purchase_id],
    )


def of_player(stage: Stage, player_id: str) -> PlayerStory:
    """Raises `NothingFound` if the player never bought anything."""
    purchases, _ = stage.purchases.of_player(player_id, Page(MAX_LIMIT))
    lines = tables.ledger(stage, player_id)
    if not purchases and not lines:
        raise NothingFound(f"{stage.name} knows no player {player_id} who bought anything")
    return PlayerStory(
        player_id=player_id,
        purchases=purchases,
        inventory=stage.inventory.of_player(player_id),
        ledger=[*sorted(lines, key=lambda line: line["at"])],
        notices=[*tables.rows_of(stage, "notices", "player_id", player_id)],
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
        Moment(line["at"], 5, "ledger", f"{line['delta']:+} {line['item_id']} ({line['reason']})")
        for line in story.ledger
    ]
    found += [
        Moment(row["created_at"], 6, "notice", f"{row['notice'].get('status')} {_seen(row)}")
        for row in story.notices
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
    row = event.row or {}
    if "created" in row:
        yield Moment(row["created"], 2, "event", f"{row.get('type')} happened at Stripe ({event.event_id})")
    if "received_at" in row:
        yield Moment(row["received_at"], 3, "received", event.event_id)
    for replay in event.replays:
        yield Moment(
            replay["at"], 3, "replay", f"{replay['execution']} by {replay['by']}: {replay['reason']}"
        )
    for execution in event.executions:
        if execution.started_at is not None:
            path = " → ".join(execution.path)
            yield Moment(execution.started_at, 4, "execution", f"{execution.name} {execution.status}: {path}")
    if "parked_at" in row:
        yield Moment(row["parked_at"], 5, "parked", why(row))
    if "applied_at" in row:
        yield Moment(row["applied_at"], 5, "applied", event.event_id)


def _seen(row: Mapping[str, Any]) -> str:
    return "seen by the client" if "acknowledged_at" in row else "not seen yet"


def _session(stage: Stage, purchase: Purchase) -> Mapping[str, Any] | None:
    if purchase.session_id is None:
        return None
    try:
        return stage.stripe_records.session(purchase.session_id)
    except (Retryable, StripeError):
        return None


def clock(at: int) -> str:
    """A time for people, in their own time zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
