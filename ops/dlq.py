"""The dead-letter queue: why something lies there, sending it back, emptying it once it is kept elsewhere.

What lies there is a delivery that start_payment failed on for half a day, or a letter about an event that was
parked or an execution that was interrupted. start_payment understands all of them: all can be sent back.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nyanko.executions import event_id_of
from ops.stages import Stage


@dataclass(frozen=True, slots=True)
class Letter:
    """`reason` is None for a delivery that could not be started; `sent_at` is epoch seconds UTC."""

    event_id: str | None
    execution: str | None
    reason: str | None
    cause: str | None
    sent_at: int
    body: str


def letters(stage: Stage) -> list[Letter]:
    """What lies in the queue, the oldest first; it stays there, unseen by others for a moment."""
    dead_letters = stage.adapters.dead_letters
    held = list(dead_letters.receive())
    dead_letters.release(held)
    return sorted((_letter(message) for message in held), key=lambda letter: letter.sent_at)


def redrive(
    stage: Stage,
    *,
    advance: Callable[[int], object] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send everything back to the queue it came from; how much that was. `advance` hears of it meanwhile."""
    dead_letters = stage.adapters.dead_letters
    return dead_letters.move(advance, sleep) if stage.is_aws else dead_letters.send_back(advance)


def purge(stage: Stage, file: Path) -> int:
    """Write everything to a file, one JSON object a line, and then delete exactly that; how much it was.

    Raises `FileExistsError` rather than write over another export.
    """
    dead_letters = stage.adapters.dead_letters
    with file.open("x") as export:
        held = list(dead_letters.receive())
        for message in held:
            export.write(json.dumps({"message_id": message["MessageId"], "body": message["Body"]}) + "\n")
    for message in held:
        dead_letters.delete(message)
    return len(held)


def _letter(message: Mapping[str, Any]) -> Letter:
    try:
        told = json.loads(message["Body"])
    except ValueError:
        told = {}
    execution = told.get("execution")
    return Letter(
        event_id=told.get("event_id") or (event_id_of(execution) if execution else None),
        execution=execution,
        reason=told.get("reason"),
        cause=told.get("cause"),
        sent_at=int(message["Attributes"]["SentTimestamp"]) // 1000,
        body=message["Body"],
    )
