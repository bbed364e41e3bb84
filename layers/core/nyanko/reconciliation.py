"""When and how far Stripe's records are compared with ours, and what became of an event meanwhile.

Events are the only way in, so nothing is repaired beside them. An event that is missing here is asked for
again and goes the way of every event; a difference that no event accounts for is for a person. One thing is
written at Stripe: a session that it left open past its time is closed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from nyanko.event_rows import EventRow
from nyanko.executions import RUNNING

EventProgress = Literal["finished", "parked", "on its way", "stuck", "missing"]
"""What has become of an event of Stripe's. Stuck is one whose execution ended without finishing or parking
it; missing is one that nothing here tells of, such as a webhook that was never delivered."""

LOST: frozenset[EventProgress] = frozenset({"stuck", "missing"})
"""Events that Stripe is asked for again."""

WAITING: frozenset[EventProgress] = frozenset({"parked", "on its way"})
"""Events that explain a difference: a person or an execution will see to them."""

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * 3600
WINDOW_SECONDS = DAY_SECONDS
"""How far a reconciliation looks back at least; further if the last one ended earlier."""

MEMORY_SECONDS = 29 * DAY_SECONDS
"""A little less than Stripe lists events for (https://docs.stripe.com/api/events)."""

SETTLED_SECONDS = 15 * 60
"""How long an event may be on its way from Stripe to us before it counts as missing."""

DRIFT_SECONDS = 3 * 3600
"""How old a difference is that no reconciliation has mended: two have passed, and whoever still waits after
that long is worth a look. A younger one is explained by that."""

OVERDUE_SECONDS = 10 * 60
"""How long after its time Stripe may leave a session open before we close it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a reconciliation has come through what Stripe lists between two times (epoch seconds UTC):
    first the events, then the sessions, each newest first; `after` is the last one that was looked at."""

    since: int
    until: int
    listing: Literal["events", "sessions", "done"] = "events"
    after: str | None = None

    @classmethod
    def resume(cls, saved: Mapping[str, Any] | None, now: int) -> Self:
        """The reconciliation that was interrupted, or a new one that begins no later than the last ended."""
        if saved and saved["listing"] != "done":
            return cls(saved["since"], saved["until"], saved["listing"], saved.get("after"))
        until = now - SETTLED_SECONDS
        since = min(now - WINDOW_SECONDS, saved["until"] if saved else now)
        return cls(max(since, now - MEMORY_SECONDS), until)

    @property
    def is_done(self) -> bool:
        return self.listing == "done"

    def past(self, page: Sequence[Mapping[str, Any]]) -> Self:
        """The checkpoint after a page was looked at; an empty one ends its listing."""
        if page:
            return replace(self, after=page[-1]["id"])
        return replace(self, listing="sessions" if self.listing == "events" else "done", after=None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def event_progress(row: EventRow | None, status: Callable[[str], str | None]) -> EventProgress:
    """What has become of the event with this row; `status` is of an execution by its name."""
    if row is None:
        return "missing"
    if row.is_finished:
        return "finished"
    if row.is_parked:
        return "parked"
    return "on its way" if status(row.execution) == RUNNING else "stuck"
