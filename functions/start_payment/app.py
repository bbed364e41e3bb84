"""Starts the payment workflow for each event of the queue; a message that fails is delivered again."""

import json
from typing import TYPE_CHECKING, Any

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.deliveries import delivery_in
from nyanko.errors import Retryable
from nyanko.use_cases.start_payment import MESSAGE_SECONDS, start_payment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


@joined(logger)
def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    failed = [record["messageId"] for record in event["Records"] if not _is_done(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(record: dict[str, Any], context: "LambdaContext") -> bool:
    """Whether the queue may forget the message."""
    logger.append_keys(message_id=record["messageId"], event_id=None, execution=None)
    # Running out of time would send those back that were started.
    if context.get_remaining_time_in_millis() < MESSAGE_SECONDS * 1000:
        logger.warning("handed back")
        return False
    try:
        delivery = delivery_in(json.loads(record["body"]), clock.now())
        logger.append_keys(event_id=delivery["event_id"])
        start = start_payment(
            delivery,
            comes_again=record["attributes"]["ApproximateReceiveCount"] != "1",
            executions=adapters().payment_executions,
            events=adapters().events,
        )
    except Exception as error:
        # Whatever it is, the others of the batch go on, and this one comes again.
        metric("NotStarted")
        code = error.code if isinstance(error, Retryable) else type(error).__name__
        logger.exception("not started", extra={"code": code})
        return False
    if start.outcome == "duplicate":
        metric("Duplicate")
    logger.append_keys(execution=start.execution)
    logger.info(start.outcome)
    return start.outcome != "later"
