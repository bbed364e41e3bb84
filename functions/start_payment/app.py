"""Starts the payment workflow for each event of the queue; a message that fails is delivered again."""

import json
from typing import TYPE_CHECKING, Any

from nyanko import wiring
from nyanko.deliveries import Delivery, read_message
from nyanko.errors import Retryable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = wiring.logger()

MESSAGE_SECONDS = 20
"""What one message may take: the longest waits between the attempts at StartExecution, and the attempts."""


def start(delivery: Delivery) -> str | None:
    """Start what is due for the event: the execution's name, or None for a duplicate."""
    event_id, executions = delivery["event_id"], wiring.payment_executions()
    if executions.start_as(event_id, delivery):
        return event_id
    # The row first: Tokyo lets DescribeExecution be called ten times a second, and when thousands of events
    # are delivered again, those must not hold up the new ones
    # (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    if wiring.events().is_finished(event_id):
        return None
    # Without a body it is one that somebody misses: run it, whatever became of an earlier execution.
    return executions.start_again(event_id, delivery, again=not delivery["body"])


def lambda_handler(sqs_event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    failed = [record["messageId"] for record in sqs_event["Records"] if not _is_done(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(record: dict[str, Any], context: "LambdaContext") -> bool:
    """Whether the queue may forget the message."""
    # Running out of time would send those back that were started.
    if context.get_remaining_time_in_millis() < MESSAGE_SECONDS * 1000:
        logger.warning("handed back", extra={"message_id": record["messageId"]})
        return False
    try:
        delivery = read_message(json.loads(record["body"]), wiring.now())
        execution = start(delivery)
    except Exception as error:
        # Whatever it is, the others of the batch go on, and this one comes again.
        wiring.metric("NotStarted")
        code = error.code if isinstance(error, Retryable) else type(error).__name__
        logger.exception("not started", extra={"message_id": record["messageId"], "code": code})
        return False
    if execution is None:
        wiring.metric("Duplicate")
    logger.info(
        "started" if execution else "duplicate",
        extra={"event_id": delivery["event_id"], "execution": execution},
    )
    return True
