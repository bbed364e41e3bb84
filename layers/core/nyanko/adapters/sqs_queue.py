"""An SQS queue that takes JSON messages."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """`client` is called when there is something to send: a cold start pays 20 ms for one."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Mapping[str, Any]) -> None:
        """Return once SQS has the message; raises `Retryable` when it could not take it."""
        with aws_errors("SQS"):
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps(message))
