"""Replays of events: who had which run again, and what became of it."""

from dataclasses import dataclass
from typing import Literal

from nyanko.event_rows import FINISHED, State

ReplayOutcome = State | Literal["running", "failed", "unknown"]

WITHOUT_REASON = "not given"


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A row of the table `replays`: who had an event run again, when (epoch seconds UTC) and why.

    `execution` is the name of the fresh execution, or `name#at` for one that was redriven.
    """

    event_id: str
    execution: str
    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """`execution` is the one that was started, None if nothing had to be done."""

    event_id: str
    outcome: ReplayOutcome
    execution: str | None = None
    reason: str | None = None

    @property
    def is_well(self) -> bool:
        return self.outcome in FINISHED
