"""How far a reconciliation has come, what has become of an event, and how long it waits before it says so."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from nyanko.comparison import Comparison
from nyanko.event_rows import EventRow, State
from nyanko.reconciliation import Checkpoint, EventProgress, event_progress
from nyanko.use_cases.reconcile import Found, Overdue, Reconcile, Undelivered
from tests.data import MIKES_PURCHASE, THREE_PACKS
from tests.stripe_events import checkout_session

NOW = 1_700_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass
class World:
    """Stripe has these events and sessions on record, and nothing else here knows anything."""

    listed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked_for: list[str] = field(default_factory=list)

    def reconcile(self, now: int = NOW) -> list[Found]:
        world: Any = self
        reconcile = Reconcile(
            stripe=world, events=world, purchases=world, executions=world, queue=world
        ).next_pages(world, now, has_time=lambda: True)
        return [one for _, found in reconcile for one in found]

    def events(self, since: int, until: int, after: str | None) -> list[dict[str, Any]]:
        events = self.listed.get("events", []) if after is None else []
        return [event for event in events if since <= event["created"] < until]

    def sessions(self, _since: int, _until: int, after: str | None) -> list[dict[str, Any]]:
        return self.listed.get("sessions", []) if after is None else []

    def send(self, delivery: Any) -> None:
        self.asked_for.append(delivery["event_id"])

    def get(self, _name: str) -> None: ...

    def put(self, _name: str, _checkpoint: object) -> None: ...

    def get_many(self, _ids: object) -> dict[str, Any]:
        return {}

    def ids_of_purchase(self, _purchase_id: str) -> list[str]:
        return []

    def status(self, _execution: str) -> None: ...

    def expire(self, _session_id: str) -> bool:
        return True


def event_created(at: int) -> dict[str, Any]:
    return {"id": "evt_mike", "type": "checkout.session.completed", "created": at}


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (None, None, "missing"),
        ("applied", None, "finished"),
        ("ignored", None, "finished"),
        ("parked", "FAILED", "parked"),
        ("claimed", "RUNNING", "on its way"),
        ("claimed", "ABORTED", "stuck"),
        ("claimed", None, "stuck"),
    ],
)
def test_the_progress_of_an_event_follows_from_its_row_and_its_execution(
    state: State | None, status: str | None, expected: EventProgress
) -> None:
    row = EventRow("evt_mike", state, "evt_mike") if state else None
    assert event_progress(row, lambda _: status) == expected


def test_a_first_reconciliation_looks_back_a_day_and_leaves_the_last_quarter_of_an_hour_alone() -> None:
    assert Checkpoint.resume(None, NOW) == Checkpoint(NOW - DAY, NOW - 15 * MINUTE)


@pytest.mark.parametrize(
    ("until", "since"),
    [
        (NOW - MINUTE, NOW - DAY),
        (NOW - 3 * DAY, NOW - 3 * DAY),
        (NOW - 29 * DAY, NOW - 29 * DAY),
        (NOW - 29 * DAY - 1, NOW - 29 * DAY),
        (NOW - 60 * DAY, NOW - 29 * DAY),
    ],
)
def test_a_reconciliation_begins_where_the_last_one_ended_but_not_before_stripe_remembers(
    until: int, since: int
) -> None:
    done = {"since": 0, "until": until, "listing": "done"}
    assert Checkpoint.resume(done, NOW).since == since


def test_a_reconciliation_goes_through_events_then_sessions_page_by_page() -> None:
    reached = Checkpoint(1, 2)
    assert (reached := reached.past([{"id": "evt_2"}, {"id": "evt_1"}])) == Checkpoint(
        1, 2, "events", "evt_1"
    )
    assert Checkpoint.resume(reached.to_dict(), NOW) == reached
    assert (reached := reached.past([])) == Checkpoint(1, 2, "sessions")
    assert (reached := reached.past([{"id": "cs_1"}])) == Checkpoint(1, 2, "sessions", "cs_1")
    assert reached.past([]) == Checkpoint(1, 2, "done")
    assert not reached.is_done
    assert reached.past([]).is_done
    assert reached.past([]).past([]).is_done


@pytest.mark.parametrize(("age", "asked_for"), [(15 * MINUTE, []), (15 * MINUTE + 1, ["evt_mike"])])
def test_an_event_is_missing_that_has_been_on_its_way_for_more_than_15_minutes(
    age: int, asked_for: list[str]
) -> None:
    world = World({"events": [event_created(NOW - age)]})
    world.reconcile()
    assert world.asked_for == asked_for


@pytest.mark.parametrize(("seconds_before", "counted"), [(HOUR, [Undelivered(1)]), (HOUR + 1, [])])
def test_what_stripe_delivered_is_judged_by_one_hour_of_its_events(
    seconds_before: int, counted: list[Undelivered]
) -> None:
    judged_at = NOW - 15 * MINUTE
    found = World({"events": [event_created(judged_at - seconds_before)]}).reconcile()
    assert [one for one in found if isinstance(one, Undelivered)] == counted


@pytest.mark.parametrize(("age", "is_drift"), [(3 * HOUR, False), (3 * HOUR + 1, True)])
def test_a_difference_is_drift_once_it_is_older_than_three_hours(age: int, *, is_drift: bool) -> None:
    paid = checkout_session(THREE_PACKS, created=NOW - age, payment_intent=None)
    found = World({"sessions": [paid]}).reconcile()
    assert [isinstance(one, Comparison) for one in found] == [True] * is_drift


@pytest.mark.parametrize(
    ("late_seconds", "closed"),
    [(10 * MINUTE, []), (10 * MINUTE + 1, [Overdue(MIKES_PURCHASE, "cs_test_mike")])],
)
def test_a_session_is_closed_that_stripe_left_open_ten_minutes_past_its_time(
    late_seconds: int, closed: list[Overdue]
) -> None:
    left_open = checkout_session(
        THREE_PACKS, status="open", payment_status="unpaid", payment_intent=None, expires_at=NOW
    )
    assert World({"sessions": [left_open]}).reconcile(NOW + late_seconds) == closed
