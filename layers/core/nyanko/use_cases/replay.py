"""Replay events: each as a fresh execution from its stored body, signed by who replays it.

A fresh execution needs neither the failed one, which Step Functions forgets after 90 days, nor Stripe, which
forgets events after 30, nor the webhook's secret of that day. It passes the states that every event passes.

What was never verified has no body to sign, whatever was delivered under the event's id: it is fetched from
Stripe (docs/decisions/0005-replays-are-vouched-for.md).
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nyanko.deliveries import Delivery, delivery_by_id, stored_delivery
from nyanko.event_rows import EventRow
from nyanko.executions import FORGOTTEN, PARKED_STATE, RUNNING, NotRedrivable, event_id_of, next_execution
from nyanko.replays import Replayed, ReplayRow

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.dynamodb_replays import Replays
    from nyanko.adapters.kms_replays import ReplayMacs
    from nyanko.adapters.stepfunctions_history import ExecutionHistory
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions

POLL_SECONDS = 0.3
LOOKS_UNSEEN = 100
"""How often an execution that was started may be unknown to Step Functions, which is half a minute."""

UNSEEN = "Step Functions knows no such execution"


class Replay:
    """`by` is who replays."""

    def __init__(
        self,
        by: str,
        *,
        events: "Events",
        executions: "PaymentExecutions",
        history: "ExecutionHistory",
        replays: "Replays",
        macs: "ReplayMacs",
    ) -> None:
        self._by = by
        self._events = events
        self._executions = executions
        self._history = history
        self._replays = replays
        self._macs = macs

    def delivery(self, event_id: str, now: int, execution: str | None = None) -> Delivery | None:
        """What a replay of the event delivers, None if nothing here knows of such an event."""
        return self._delivery(event_id, self._events.get(event_id), now, execution)

    def _delivery(
        self, event_id: str, row: EventRow | None, now: int, execution: str | None
    ) -> Delivery | None:
        if row and row.body:
            return stored_delivery(row)
        is_known = row or self._history.execution(execution or event_id).status != FORGOTTEN
        return delivery_by_id(event_id, now) if is_known else None

    def start(self, event_id: str, reason: str, now: int, execution: str | None = None) -> Replayed:
        """Start a replay, unless the event has come to its end or is on its way.

        `execution` is one of the event's that is known to have failed, if any is.
        """
        row = self._events.get(event_id)
        if row and row.is_finished:
            return Replayed(event_id, row.state)
        delivery = self._delivery(event_id, row, now, execution)
        if delivery is None:
            return Replayed(event_id, "unknown", reason="there is no such event to replay")
        on_record = [replay.execution for replay in self._replays.of_event(event_id)]
        following = next_execution(event_id, self._executions.status, on_record)
        if following.is_running:
            return Replayed(event_id, "running", following.name)
        signed = self._macs.sign(delivery, self._by, now, reason) if delivery["body"] else delivery
        # Written first: a replay that nobody knows of is worse than a note of one that was not made.
        if self._replays.put(ReplayRow(event_id, following.name, self._by, now, reason)):
            self._executions.start(following.name, signed)
        return Replayed(event_id, "running", following.name)

    def redrive(self, execution: str, reason: str, now: int) -> Replayed:
        """Have Step Functions itself continue an execution where it stopped.

        That is for executions that were interrupted. A parked one ended in the state `Parked`, where it would
        only fail again. Raises `NotRedrivable`.
        """
        if self._history.execution(execution).path[-1:] == [PARKED_STATE]:
            raise NotRedrivable(f"{execution} parked its event and would park it again")
        event_id = event_id_of(execution)
        self._replays.put(ReplayRow(event_id, f"{execution}#{now}", self._by, now, reason))
        self._history.redrive(execution)
        return Replayed(event_id, "running", execution)

    def outcome(self, replayed: Replayed) -> Replayed:
        """How far a started replay has come by now."""
        if replayed.outcome != "running" or replayed.execution is None:
            return replayed
        status = self._executions.status(replayed.execution)
        # DescribeExecution follows StartExecution a moment later, and then takes it for none
        # (https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html).
        if status is None:
            return replace(replayed, reason=UNSEEN)
        if status == RUNNING:
            return replace(replayed, reason=None)
        row = self._events.get(replayed.event_id)
        if row and row.is_finished:
            return replace(replayed, outcome=row.state, reason=None)
        if row and row.is_parked:
            return replace(replayed, outcome=row.state, reason=row.why)
        return replace(replayed, outcome="failed", reason=f"its execution ended {status}")

    def finish(
        self,
        started: Sequence[Replayed],
        *,
        advance: Callable[[], object] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> list[Replayed]:
        """Wait until no replay runs any more; `advance` is called for each that has ended."""
        done: dict[str, Replayed] = {}
        looks: Counter[str] = Counter()
        while len(done) < len(started):
            for one in started:
                if one.event_id in done:
                    continue
                seen = self.outcome(one)
                looks[one.event_id] += 1
                if seen.reason == UNSEEN and looks[one.event_id] > LOOKS_UNSEEN:
                    seen = replace(seen, outcome="failed")
                if seen.outcome != "running":
                    done[one.event_id] = seen
                    advance()
            if len(done) < len(started):
                sleep(POLL_SECONDS)
        return [done[one.event_id] for one in started]
