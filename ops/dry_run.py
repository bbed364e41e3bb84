"""What replaying events would do, by the code that would do it: nothing is written.

The facts merge, the amount is compared, and the grant converges exactly as in RecordPayment and GrantItems.
Only who vouches for an event is left out: a replay signs it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nyanko.errors import BadInput, Permanent
from nyanko.facts import Facts
from nyanko.grants import Grant, Line, converge
from nyanko.purchases import Purchase, check_amount, with_facts
from nyanko.readings import Reading, read
from nyanko.stripe_events import StripeEvent, parse
from ops.stages import Stage
from ops.story import standing

Outcome = Literal["applied", "ignored", "parked", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one event; `reason` is why it would be parked."""

    event_id: str
    type: str | None
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one purchase; `purchase_id` is None for events that lead to none."""

    purchase_id: str | None
    steps: list[Step]
    before: Purchase | None = None
    after: Purchase | None = None
    lines: list[Line] = field(default_factory=list)
    notices: list[Mapping[str, Any]] = field(default_factory=list)
    inventory: Mapping[str, int] = field(default_factory=dict)
    """Item id to quantity, before."""

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What changes, from what to what: figures of the purchase, then quantities in the inventory."""
        if self.before is None or self.after is None:
            return {}
        then = dict(self.inventory)
        for line in self.lines:
            then[line.item_id] = then.get(line.item_id, 0) + line.delta
        before = {**standing(self.before), **{item: self.inventory.get(item, 0) for item in then}}
        after = {**standing(self.after), **then}
        return {name: (before[name], after[name]) for name in after if before[name] != after[name]}


def plan(stage: Stage, bodies: Mapping[str, str], now: int) -> list[Plan]:
    """What replaying the events with these bodies, by event id, does to each purchase, oldest event first."""
    by_purchase: dict[str | None, list[_Telling]] = {}
    for event_id, body in bodies.items():
        telling = _read(stage, event_id, body)
        by_purchase.setdefault(telling.purchase_id, []).append(telling)
    return [
        _plan(stage, purchase_id, sorted(tellings, key=lambda telling: telling.created), now)
        for purchase_id, tellings in by_purchase.items()
    ]


@dataclass(frozen=True, slots=True)
class _Telling:
    """What an event tells of a purchase, or the step that it ends with before it tells anything."""

    event_id: str
    type: str | None = None
    created: int = 0
    purchase_id: str | None = None
    reading: Reading | None = None
    facts: Facts | None = None
    end: Step | None = None


def _read(stage: Stage, event_id: str, body: str) -> _Telling:
    """As VerifyEvent reads it."""
    try:
        event = parse(body.encode())
    except BadInput as error:
        return _Telling(event_id, end=Step(event_id, None, "parked", f"{error.code}: {error.message}"))
    try:
        return _attribute(stage, event)
    except Permanent as error:
        end = Step(event_id, event.type, "parked", str(error))
        return _Telling(event_id, event.type, event.created, end=end)


def _attribute(stage: Stage, event: StripeEvent) -> _Telling:
    reading = read(event)
    purchase_id = stage.attribution.purchase_id(reading) if reading else None
    if reading is None or purchase_id is None:
        end = Step(event.event_id, event.type, "ignored")
        return _Telling(event.event_id, event.type, event.created, end=end)
    if event.livemode != stage.livemode:
        raise Permanent("WrongMode", f"{event.event_id} has livemode {event.livemode}, unlike this stage")
    facts = stage.attribution.facts(reading)
    return _Telling(event.event_id, event.type, event.created, purchase_id, reading, facts)


def _plan(stage: Stage, purchase_id: str | None, tellings: Iterable[_Telling], now: int) -> Plan:
    before = stage.purchases.get(purchase_id) if purchase_id else None
    after, steps, grants = before, [], []
    for telling in tellings:
        step, grant = _apply(after, telling, now)
        steps.append(step)
        if grant:
            after = grant.after
            grants.append(grant)
    return Plan(
        purchase_id=purchase_id,
        steps=steps,
        before=before,
        after=after,
        lines=[line for grant in grants for line in grant.lines],
        notices=[grant.notice for grant in grants],
        inventory=stage.inventory.of_player(before.player_id) if before else {},
    )


def _apply(purchase: Purchase | None, telling: _Telling, now: int) -> tuple[Step, Grant | None]:
    """As RecordPayment and GrantItems do it."""
    if telling.end or telling.reading is None or telling.facts is None:
        return telling.end or Step(telling.event_id, telling.type, "unknown"), None
    if purchase is None:
        reason = f"UnknownPurchase: there is no purchase {telling.purchase_id}"
        return Step(telling.event_id, telling.type, "parked", reason), None
    try:
        check_amount(purchase, telling.reading.amount, telling.reading.currency)
    except Permanent as error:
        return Step(telling.event_id, telling.type, "parked", str(error)), None
    merged = purchase.facts.merge(telling.facts)
    recorded = purchase if merged == purchase.facts else with_facts(purchase, merged, now)
    return Step(telling.event_id, telling.type, "applied"), converge(recorded, now)
