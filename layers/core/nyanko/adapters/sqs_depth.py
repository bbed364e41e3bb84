"""How much waits in an SQS queue."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

COUNTS: "tuple[QueueAttributeNameType, ...]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class QueueDepth:
    def __init__(self, client: "Callable[[], SQSClient]", url: str) -> None:
        self._client = client
        self._url = url

    def __call__(self) -> int:
        """The messages that wait, that are being worked on, and that wait for a later time; about as many."""
        with aws_errors("SQS"):
            told = self._client().get_queue_attributes(QueueUrl=self._url, AttributeNames=COUNTS)
        return sum(int(told["Attributes"][name]) for name in COUNTS)
