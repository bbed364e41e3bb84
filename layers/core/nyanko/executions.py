"""Executions of the payment workflow: their names and how they end."""

import re

RUNNING = "RUNNING"
FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})

_REPLAY = re.compile(r"-r[0-9]+\Z")


def execution_name(event_id: str, replay: int) -> str:
    """The first execution is named by the event, so that Step Functions itself refuses a second one; the
    `replay`th after it `<event_id>-r<replay>`. Stripe's ids hold no hyphen."""
    return f"{event_id}-r{replay}" if replay else event_id


def event_id_of(execution: str) -> str:
    return _REPLAY.sub("", execution)
