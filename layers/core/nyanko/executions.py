"""Executions of the payment workflow: their names, how they end, and what is known of one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

RUNNING = "RUNNING"
FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
FORGOTTEN = "FORGOTTEN"
"""Of an execution that Step Functions knows no more, 90 days after its end."""

PARKING_STATE = "ParkEvent"
"""The state that follows whichever failed for good."""

PARKED_STATE = "Parked"
"""The Fail state that parking ends in, and the error it fails with."""

_REPLAY = re.compile(r"-r([0-9]+)\Z")


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


class NotRedrivable(Exception):
    """An execution that Step Functions cannot continue, or should not; the text says why."""


@dataclass(frozen=True, slots=True)
class NextExecution:
    """`name` is free, unless `newest` is RUNNING: then it is the name of the one that runs.

    `newest` is the status of the event's newest execution, None if Step Functions knows of none.
    """

    name: str
    newest: str | None

    @property
    def is_running(self) -> bool:
        return self.newest == RUNNING


def execution_name(event_id: str, replay: int) -> str:
    """The first execution is named by the event, so that Step Functions itself refuses a second one; the
    `replay`th after it `<event_id>-r<replay>`. Stripe's ids hold no hyphen."""
    return f"{event_id}-r{replay}" if replay else event_id


def name_of(execution: str) -> str:
    """The name of an execution that is named by its ARN or its name."""
    return execution.rpartition(":")[2]


def execution_arn(state_machine_arn: str, name: str) -> str:
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def event_id_of(execution: str) -> str:
    """The event of an execution that is named by its ARN or its name."""
    return _REPLAY.sub("", name_of(execution))


def next_execution(
    event_id: str, status: Callable[[str], str | None], on_record: Iterable[str]
) -> NextExecution:
    """The name under which an event may run again: the first after all that Step Functions remembers and all
    replays that are on record. `status` is of an execution by its name, None if there is none any more;
    whatever else than replays is on record counts for nothing.

    Executions of an event follow each other, so one that runs is the newest.
    """
    replays = (_REPLAY.search(name) for name in on_record)
    last = max((int(replay[1]) for replay in replays if replay), default=0)
    newest = None
    for replay in count():
        name = execution_name(event_id, replay)
        found = status(name)
        if found == RUNNING:
            return NextExecution(name, RUNNING)
        if found is None and replay > last:
            return NextExecution(name, newest)
        newest = found or newest
    raise AssertionError("count() never ends")
