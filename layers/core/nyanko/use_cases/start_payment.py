"""Start the payment workflow for an event, once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nyanko.deliveries import Delivery
from nyanko.event_rows import FINISHED, PARKED
from nyanko.executions import FAILED, next_execution

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions

MESSAGE_SECONDS = 20
"""What one delivery may take: the longest waits between the attempts at StartExecution, and the attempts."""


@dataclass(frozen=True, slots=True)
class Start:
    """`later` asks for the delivery to come back once; `execution` is the one that was started, if any."""

    outcome: Literal["started", "later", "duplicate"]
    execution: str | None = None


def start_payment(
    delivery: Delivery, *, comes_again: bool, executions: "PaymentExecutions", events: "Events"
) -> Start:
    """Start an execution, unless the event has come to its end or one of it runs.

    An event whose executions all failed runs again under the next name: "Resend" in Stripe's Dashboard
    replays. One without a body is one that somebody misses: it runs again whatever became of an earlier
    execution. One that still runs is never run beside itself.

    A copy of an event that is neither finished nor parked probably meets its execution, as does one of an
    event that is just being parked. That may be of a copy that cannot be read, and park, so this one comes
    back once; `comes_again` says that it did.
    """
    event_id, is_missed = delivery["event_id"], not delivery["body"]
    if executions.start(event_id, delivery):
        return Start("started", event_id)
    # The row first: Tokyo lets DescribeExecution be called ten times a second, and when thousands of events
    # are delivered again, those must not hold up the new ones
    # (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    state = events.state(event_id)
    if state in FINISHED:
        return Start("duplicate")
    if state != PARKED and not is_missed and not comes_again:
        return Start("later")
    following = next_execution(event_id, executions.status, on_record=())
    beside_another = Start("duplicate" if is_missed or comes_again else "later")
    if following.is_running:
        # It may have parked the event a moment ago, and not have come to its end.
        return beside_another
    if not (is_missed or following.newest in FAILED):
        return Start("duplicate")
    if executions.start(following.name, delivery):
        return Start("started", following.name)
    # Somebody has just started it. DescribeExecution may not know of it yet, so asking again would only spin.
    return beside_another
