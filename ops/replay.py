"""Having events run again: each as a fresh execution from its stored body, signed by who replays it.

A fresh execution needs neither the failed one, which Step Functions forgets after 90 days, nor Stripe, which
forgets events after 30, nor the webhook's secret of that day. It passes the states that every event passes.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import to_item
from nyanko.deliveries import FINISHED, Delivery, by_id
from nyanko.executions import RUNNING, event_id_of, execution_name
from ops import executions, tables
from ops.parked import why
from ops.stages import Stage

Outcome = Literal["applied", "ignored", "parked", "running", "failed", "unknown"]

REPLAY_IS_NEW = "attribute_not_exists(event_id)"
WITHOUT_REASON = "not given"
PARKED_STATE = "Parked"
"""The Fail state of the workflow, at which a redrive would only fail again."""


class NotRedrivable(Exception):
    """Step Functions cannot continue this execution; the text says why and what can."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """`execution` is the one that was started, None if nothing had to be done."""

    event_id: str
    outcome: Outcome
    execution: str | None = None
    reason: str | None = None

    @property
    def is_well(self) -> bool:
        return self.outcome in FINISHED


def delivery_of(stage: Stage, event_id: str, execution: str | None = None) -> Delivery | None:
    """What a replay of the event delivers: its row knows, or else the input of an execution of it."""
    if row := stage.events.get(event_id):
        return Delivery(
            event_id=event_id,
            received_at=row["received_at"],
            body=row.get("body", ""),
            signature=row.get("signature", ""),
        )
    if given := executions.look_at(stage, execution or event_id).input:
        delivered: Delivery = json.loads(given)
        delivered.pop("replay", None)
        return delivered
    return None


def body_of(stage: Stage, delivery: Delivery) -> str:
    """The event's body, which Stripe is asked for if it was too large to be carried."""
    from nyanko.adapters.stripe_checkout import StripeCheckout

    return delivery["body"] or StripeCheckout(*stage.stripe_credentials, "").event(delivery["event_id"]) or ""


def start(stage: Stage, event_id: str, reason: str, now: int, execution: str | None = None) -> Replayed:
    """Start a replay, unless the event has come to its end or is on its way."""
    row = stage.events.get(event_id)
    if row and row["state"] in FINISHED:
        return Replayed(event_id, row["state"])
    delivery = delivery_of(stage, event_id, execution)
    if delivery is None:
        return Replayed(event_id, "unknown", reason=f"{stage.name} has no such event to replay")
    name, is_running = _next_name(stage, event_id)
    if is_running:
        return Replayed(event_id, "running", name)
    signed = (
        stage.replay_macs.sign(delivery, stage.operator, now, reason)
        if delivery["body"]
        else by_id(event_id, now)
    )
    # Written first: a replay that nobody knows of is worse than a note of one that was not made.
    if _note(stage, event_id, name, reason, now):
        stage.payment_executions.start_as(name, signed)
    return Replayed(event_id, "running", name)


def outcome(stage: Stage, replayed: Replayed) -> Replayed:
    """How far a started replay has come by now."""
    if replayed.outcome != "running" or replayed.execution is None:
        return replayed
    status = stage.payment_executions.status(replayed.execution)
    if status == RUNNING:
        return replayed
    row = stage.events.get(replayed.event_id) or {}
    if row.get("state") in FINISHED:
        return replace(replayed, outcome=row["state"], reason=None)
    if row.get("state") == "parked":
        return replace(replayed, outcome="parked", reason=why(row))
    return replace(replayed, outcome="failed", reason=f"its execution ended {status}")


def finish(
    stage: Stage,
    started: Sequence[Replayed],
    *,
    advance: Callable[[], object] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Replayed]:
    """Wait until no replay runs any more; `advance` is called for each that has ended."""
    done: dict[str, Replayed] = {}
    while len(done) < len(started):
        for one in started:
            if one.event_id not in done and (seen := outcome(stage, one)).outcome != "running":
                done[one.event_id] = seen
                advance()
        if len(done) < len(started):
            sleep(0.3)
    return [done[one.event_id] for one in started]


def redrive(stage: Stage, name: str, reason: str, now: int) -> Replayed:
    """Have Step Functions itself continue an execution where it stopped.

    That is for executions that were interrupted within the last 14 days. A parked one ended in the state
    `Parked`, where it would only fail again (https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html).
    Raises `NotRedrivable`.
    """
    if not stage.is_aws:
        raise NotRedrivable("the local engine has no RedriveExecution; replay without --redrive")
    if executions.look_at(stage, name).path[-1:] == [PARKED_STATE]:
        raise NotRedrivable(f"{name} parked its event and would park it again; replay without --redrive")
    client = stage.client("stepfunctions")
    _note(stage, event_id_of(name), f"{name}#{now}", reason, now)
    try:
        with aws_errors("Step Functions"):
            client.redrive_execution(executionArn=stage.payment_executions.arn(name))
    except (client.exceptions.ExecutionNotRedrivable, client.exceptions.ExecutionDoesNotExist) as error:
        raise NotRedrivable(f"{name} cannot be redriven ({error}); replay without --redrive") from error
    return Replayed(event_id_of(name), "running", name)


def _next_name(stage: Stage, event_id: str) -> tuple[str, bool]:
    """The first name after all replays that are on record or that Step Functions remembers; or the name of
    the execution that still runs, and True."""
    on_record = len(tables.replays_of(stage, event_id))
    for number in count():
        name = execution_name(event_id, number)
        status = stage.payment_executions.status(name)
        if status == RUNNING:
            return name, True
        if status is None and number > on_record:
            return name, False
    raise AssertionError("count() never ends")


def _note(stage: Stage, event_id: str, execution: str, reason: str, now: int) -> bool:
    """Keep who replays, when and why; False if this replay is on record already."""
    try:
        with aws_errors("DynamoDB"):
            stage.dynamodb.put_item(
                TableName=stage.table("replays"),
                Item=to_item(
                    {
                        "event_id": event_id,
                        "execution": execution,
                        "by": stage.operator,
                        "at": now,
                        "reason": reason,
                    }
                ),
                ConditionExpression=REPLAY_IS_NEW,
            )
    except stage.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True
