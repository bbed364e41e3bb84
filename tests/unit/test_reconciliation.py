"""How far a reconciliation has come, and what has become of an event."""

import pytest

from nyanko.event_rows import EventRow, State
from nyanko.reconciliation import (
    MEMORY_SECONDS,
    SETTLED_SECONDS,
    WINDOW_SECONDS,
    Checkpoint,
    EventProgress,
    event_progress,
)

NOW = 1_700_000_000


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


def test_a_first_reconciliation_looks_back_a_day() -> None:
    assert Checkpoint.resume(None, NOW) == Checkpoint(NOW - WINDOW_SECONDS, NOW - SETTLED_SECONDS)


@pytest.mark.parametrize(
    ("until", "since"),
    [
        (NOW - 60, NOW - WINDOW_SECONDS),
        (NOW - 3 * WINDOW_SECONDS, NOW - 3 * WINDOW_SECONDS),
        (NOW - 2 * MEMORY_SECONDS, NOW - MEMORY_SECONDS),
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
