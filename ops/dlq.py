"""The dead-letter queue: why something lies there, sending it back, emptying it once it is kept elsewhere.

What lies there is a delivery that start_payment failed on for half a day, or a letter about an event that was
parked or an execution that was interrupted. start_payment understands all of them: all can be sent back.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.executions import event_id_of
from ops.stages import Stage

DLQ, SOURCE = "payment_events_dlq", "payment_events"
LOOKED_AT_SECONDS = 30
MOST = 1000


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
    """What lies in the queue, at most `MOST`; it stays there, unseen by others for a moment."""
    client, url = stage.client("sqs"), stage.queue_url(DLQ)
    held = list(_receive(client, url))
    for message in held:
        client.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return sorted((_letter(message) for message in held), key=lambda letter: letter.sent_at)


def redrive(
    stage: Stage,
    *,
    advance: Callable[[int], object] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send everything back to the queue it came from; how much that was. `advance` hears of it meanwhile."""
    if stage.is_aws:
        return _move(stage, advance, sleep)
    client, url = stage.client("sqs"), stage.queue_url(DLQ)
    target, moved = stage.queue_url(SOURCE), 0
    for message in _receive(client, url):
        with aws_errors("SQS"):
            client.send_message(QueueUrl=target, MessageBody=message["Body"])
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
        advance(moved)
    return moved


def purge(stage: Stage, file: Path) -> int:
    """Write everything to a file, one JSON object a line, and then delete exactly that; how much it was.

    Raises `FileExistsError` rather than write over another export.
    """
    client, url = stage.client("sqs"), stage.queue_url(DLQ)
    with file.open("x") as export:
        held = list(_receive(client, url))
        for message in held:
            export.write(json.dumps({"message_id": message["MessageId"], "body": message["Body"]}) + "\n")
    for message in held:
        with aws_errors("SQS"):
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(held)


def _move(stage: Stage, advance: Callable[[int], object], sleep: Callable[[float], None]) -> int:
    """SQS's own way
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html)."""
    client = stage.client("sqs")
    asked = {"QueueUrl": stage.queue_url(DLQ), "AttributeNames": ["QueueArn"]}
    arn = client.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
    with aws_errors("SQS"):
        client.start_message_move_task(SourceArn=arn)
        while True:
            [task] = client.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]
            moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
            advance(moved)
            if task["Status"] not in {"RUNNING", "CANCELLING"}:
                return moved
            sleep(1)


def _receive(client: Any, url: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 a boto3 client
    """Every message that is there, each once."""
    seen: set[str] = set()
    while len(seen) < MOST:
        with aws_errors("SQS"):
            received = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=LOOKED_AT_SECONDS,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
        fresh = [message for message in received if message["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def _letter(message: dict[str, Any]) -> Letter:
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
