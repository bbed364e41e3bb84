"""Start the payment workflow for an event, once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nyanko.deliveries import Delivery
from nyanko.executions import FAILED, next_execution

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions


@dataclass(frozen=True, slots=True)
class Start:
    """`running` says that an execution of the event runs, which `execution` names; a duplicate has none."""

    outcome: Literal["started", "running", "duplicate"]
    execution: str | None = None


def start_payment(delivery: Delivery, *, executions: "PaymentExecutions", events: "Events") -> Start:
    """Start an execution, unless the event has come to its end or one of it runs.

    An event whose executions all failed runs again under the next name: "Resend" in Stripe's Dashboard
    replays. One without a body is one that somebody misses: it runs again whatever became of an earlier
    execution. One that still runs is never run beside itself.
    """
    event_id = delivery["event_id"]
    if executions.start(event_id, delivery):
        return Start("started", event_id)
    # The row first: Tokyo lets DescribeExecution be called ten times a second, and when thousands of events
    # are delivered again, those must not hold up the new ones
    # (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    if events.is_finished(event_id):
        return Start("duplicate")
    while True:
        following = next_execution(event_id, executions.status)
        is_missed = not delivery["body"]
        if following.is_running:
            return Start("running", following.name)
        if not (is_missed or following.newest in FAILED):
            return Start("duplicate")
        if executions.start(following.name, delivery):
            return Start("started", following.name)
