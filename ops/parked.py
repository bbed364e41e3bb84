"""Events that wait for a person: parked ones, and those whose execution ended without parking them."""

from dataclasses import dataclass, replace

from nyanko.event_rows import EventRow, State
from nyanko.executions import FAILED, PARKED_STATE, RUNNING, Execution, event_id_of
from nyanko.parking import event_in
from nyanko.purchases import Purchase
from ops.stages import Stage


@dataclass(frozen=True, slots=True)
class Waiting:
    """`state` is that of the event's row, None if it has none. `amount` is yen, `since` epoch seconds UTC."""

    event_id: str
    type: str | None
    state: State | None
    reason: str
    cause: str
    since: int | None
    execution: str | None
    purchase_id: str | None
    player_id: str | None = None
    amount: int | None = None


def parked(stage: Stage, reason: str | None = None, since: int | None = None) -> list[Waiting]:
    """All of them, the longest waiting first; of one reason, or waiting since a time, if asked for."""
    events = stage.adapters.events
    rows = [events.get(event_id) for event_id in events.parked_ids()]
    # The index follows its table a moment later.
    found = [_of_row(row) for row in rows if row and row.is_parked]
    found += _interrupted(stage, {one.event_id for one in found})
    purchases = {
        purchase.purchase_id: purchase
        for purchase in stage.adapters.purchases.get_many(
            [one.purchase_id for one in found if one.purchase_id]
        )
    }
    named = [_with_purchase(one, purchases.get(one.purchase_id or "")) for one in found]
    wanted = [
        one
        for one in named
        if reason in (None, one.reason) and (since is None or one.since is None or one.since >= since)
    ]
    return sorted(wanted, key=lambda one: (one.since or 0, one.event_id))


def _interrupted(stage: Stage, parked_ids: set[str]) -> list[Waiting]:
    """Executions that failed without parking their event, and whose event did not end well since."""
    history = stage.adapters.execution_history
    names: dict[str, str] = {}
    for status in sorted(FAILED):
        for name in history.with_status(status):
            names.setdefault(event_id_of(name), name)
    running = {event_id_of(name) for name in history.with_status(RUNNING)}
    suspects = [event_id for event_id in names if event_id not in parked_ids | running]
    unfinished = stage.adapters.events.unfinished(suspects)
    return [_of_execution(stage, names[event_id]) for event_id in unfinished]


def _of_row(row: EventRow) -> Waiting:
    return Waiting(
        event_id=row.event_id,
        type=row.type,
        state=row.state,
        reason=row.parked_reason or "",
        cause=row.cause,
        since=row.parked_at,
        execution=row.execution,
        purchase_id=row.purchase_id,
    )


def _of_execution(stage: Stage, name: str) -> Waiting:
    execution = stage.adapters.execution_history.execution(name)
    row = stage.adapters.events.get(event_id_of(name))
    event, named = event_in(row.body if row else "")
    return Waiting(
        event_id=event_id_of(name),
        type=(row and row.type) or (event.type if event else None),
        state=row.state if row else None,
        reason=_reason(execution),
        cause=execution.cause or "the execution ended without parking its event",
        since=execution.stopped_at or execution.started_at,
        execution=name,
        purchase_id=(row and row.purchase_id) or named,
    )


def _reason(execution: Execution) -> str:
    """How it ended, or the error that it failed with; `Parked` is what it ends with when it did park."""
    is_named = execution.status == "FAILED" and execution.error not in (None, PARKED_STATE)
    return str(execution.error if is_named else execution.status)


def _with_purchase(one: Waiting, purchase: Purchase | None) -> Waiting:
    if purchase is None:
        return one
    return replace(one, player_id=purchase.player_id, amount=purchase.amount)
