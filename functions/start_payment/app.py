"""Starts the payment workflow for each event of the queue; a message that fails is delivered again."""

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from nyanko import wiring
from nyanko.deliveries import read_message

logger = Logger()
# A batch that failed as a whole is reported message by message, like any other.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def start(record: SQSRecord) -> None:
    delivery = read_message(json.loads(record.body), wiring.now())
    # Without a body it is one that somebody misses: run it, whatever became of an earlier execution.
    execution = wiring.payment_executions().start(delivery["event_id"], delivery, again=not delivery["body"])
    if execution is None:
        wiring.metric("Duplicate")
    logger.info(
        "started" if execution else "duplicate",
        extra={"event_id": delivery["event_id"], "execution": execution},
    )


def lambda_handler(sqs_event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 Powertools' own
    return process_partial_response(
        event=sqs_event, record_handler=start, processor=processor, context=context
    )
