"""Executions of the payment workflow as operators look at them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.executions import event_id_of, execution_name
from ops.stages import Stage

FORGOTTEN = "FORGOTTEN"
"""Of an execution that Step Functions knows no more, 90 days after its end."""


@dataclass(frozen=True, slots=True)
class Execution:
    """`states` are those it entered, each with the time, in order; times are epoch seconds UTC."""

    name: str
    status: str
    started_at: int | None = None
    stopped_at: int | None = None
    states: list[tuple[str, int]] = field(default_factory=list)
    error: str | None = None
    cause: str | None = None
    input: str = ""

    @property
    def path(self) -> list[str]:
        return [name for name, _ in self.states]


def ended_as(stage: Stage, status: str) -> Iterator[str]:
    """Names of the executions with this status, the newest first."""
    pages = (
        stage.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=stage.state_machine_arn, statusFilter=status)
    )
    with aws_errors("Step Functions"):
        for page in pages:
            yield from (one["name"] for one in page["executions"])


def recent(stage: Stage, most: int) -> list[str]:
    """Names of the newest executions."""
    with aws_errors("Step Functions"):
        listed = stage.client("stepfunctions").list_executions(
            stateMachineArn=stage.state_machine_arn, maxResults=most
        )
    return [one["name"] for one in listed["executions"]]


def look_at(stage: Stage, name: str) -> Execution:
    """An execution with the states it entered; one that Step Functions does not know is `FORGOTTEN`."""
    client, arn = stage.client("stepfunctions"), stage.payment_executions.arn(name)
    try:
        with aws_errors("Step Functions"):
            described = client.describe_execution(executionArn=arn)
            pages = client.get_paginator("get_execution_history").paginate(
                executionArn=arn, includeExecutionData=False
            )
            history = [event for page in pages for event in page["events"]]
    except client.exceptions.ExecutionDoesNotExist:
        return Execution(name, FORGOTTEN)
    return Execution(
        name=name,
        status=described["status"],
        started_at=_epoch(described["startDate"]),
        stopped_at=_epoch(described["stopDate"]) if "stopDate" in described else None,
        states=[
            (event["stateEnteredEventDetails"]["name"], _epoch(event["timestamp"]))
            for event in history
            if "stateEnteredEventDetails" in event
        ],
        error=described.get("error"),
        cause=described.get("cause"),
        input=described.get("input", ""),
    )


def of_event(stage: Stage, event_id: str, known: Mapping[str, Any] | None, replays: int) -> list[Execution]:
    """Every execution of an event, the first one first; `known` is its row, `replays` are on record."""
    names = {event_id, *(execution_name(event_id, replay) for replay in range(1, replays + 1))}
    if known and "execution" in known:
        names.add(known["execution"])
    number = replays + 1
    while stage.payment_executions.status(execution_name(event_id, number)):
        names.add(execution_name(event_id, number))
        number += 1
    found = [look_at(stage, name) for name in sorted(names, key=lambda name: (len(name), name))]
    return [one for one in found if one.status != FORGOTTEN or (known and one.name == known.get("execution"))]


def definition(stage: Stage, name: str) -> str | None:
    """The definition, as JSON, that an execution ran by; None if Step Functions has forgotten it."""
    client = stage.client("stepfunctions")
    try:
        with aws_errors("Step Functions"):
            found = client.describe_state_machine_for_execution(
                executionArn=stage.payment_executions.arn(name)
            )
    except client.exceptions.ExecutionDoesNotExist:
        return None
    return str(found["definition"])


def name_in(text: str) -> str:
    """The execution's name in its ARN, or the name itself."""
    return text.rpartition(":")[2]


def event_in(text: str) -> str:
    return event_id_of(name_in(text))


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
