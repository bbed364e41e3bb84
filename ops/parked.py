"""Events that wait for a person: parked ones, and those whose execution ended without parking them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nyanko.executions import FAILED, RUNNING, event_id_of
from nyanko.parking import subject
from nyanko.purchases import Purchase
from ops import executions, tables
from ops.executions import Execution
from ops.stages import Stage


@dataclass(frozen=True, slots=True)
class Parked:
    """`state` is that of the event's row, None if it has none. `amount` is yen, `since` epoch seconds UTC."""

    event_id: str
    type: str | None
    state: str | None
    reason: str
    cause: str
    since: int | None
    execution: str | None
    purchase_id: str | None
    player_id: str | None = None
    amount: int | None = None


def parked(stage: Stage, reason: str | None = None, since: int | None = None) -> list[Parked]:
    """All of them, the longest waiting first; of one reason, or waiting since a time, if asked for."""
    found = [_of_row(row) for event_id in tables.parked_ids(stage) if (row := _still_parked(stage, event_id))]
    found += _interrupted(stage, {one.event_id for one in found})
    purchases = {
        purchase.purchase_id: purchase
        for purchase in stage.purchases.get_many(
            sorted({one.purchase_id for one in found if one.purchase_id})
        )
    }
    named = [_with_purchase(one, purchases.get(one.purchase_id or "")) for one in found]
    wanted = [
        one
        for one in named
        if reason in (None, one.reason) and (since is None or one.since is None or one.since >= since)
    ]
    return sorted(wanted, key=lambda one: (one.since or 0, one.event_id))


def _still_parked(stage: Stage, event_id: str) -> dict[str, Any] | None:
    """The index follows its table a moment later."""
    row = stage.events.get(event_id)
    return row if row and row["state"] == "parked" else None


def _interrupted(stage: Stage, parked_ids: set[str]) -> list[Parked]:
    """Executions that failed without parking their event, and whose event did not end well since."""
    names: dict[str, str] = {}
    for status in sorted(FAILED):
        for name in executions.ended_as(stage, status):
            names.setdefault(event_id_of(name), name)
    running = {event_id_of(name) for name in executions.ended_as(stage, RUNNING)}
    suspects = [event_id for event_id in names if event_id not in parked_ids | running]
    states = stage.events.states(suspects)
    return [
        _of_execution(stage, names[event_id])
        for event_id in suspects
        if states.get(event_id, {}).get("state") in (None, "claimed")
    ]


def _of_row(row: Mapping[str, Any]) -> Parked:
    return Parked(
        event_id=row["event_id"],
        type=row.get("type"),
        state=row["state"],
        reason=row["parked_reason"],
        cause=row["cause"],
        since=row["parked_at"],
        execution=row["execution"],
        purchase_id=row.get("purchase_id"),
    )


def _of_execution(stage: Stage, name: str) -> Parked:
    execution = executions.look_at(stage, name)
    row = stage.events.get(event_id_of(name)) or {}
    event, named = subject(row.get("body", ""))
    return Parked(
        event_id=event_id_of(name),
        type=row.get("type") or (event.type if event else None),
        state=row.get("state"),
        reason=_reason(execution),
        cause=execution.cause or "the execution ended without parking its event",
        since=execution.stopped_at or execution.started_at,
        execution=name,
        purchase_id=row.get("purchase_id") or named,
    )


def why(row: Mapping[str, Any]) -> str:
    """The reason and the cause of a parked row; the cause of our own errors begins with the reason."""
    reason, cause = str(row["parked_reason"]), str(row["cause"])
    return cause if cause.startswith(f"{reason}:") else f"{reason}: {cause}"


def _reason(execution: Execution) -> str:
    """How it ended, or the error that it failed with; `Parked` is what it ends with when it did park."""
    is_named = execution.status == "FAILED" and execution.error not in (None, "Parked")
    return str(execution.error if is_named else execution.status)


def _with_purchase(one: Parked, purchase: Purchase | None) -> Parked:
    if purchase is None:
        return one
    return replace(one, player_id=purchase.player_id, amount=purchase.amount)
