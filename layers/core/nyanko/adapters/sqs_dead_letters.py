"""The dead-letter queue of payment events as operators look at it, send it back and empty it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LOOKED_AT_SECONDS = 30
MOST = 1000


class DeadLetters:
    """`url` is of the dead-letter queue, `source_url` of the queue that it is behind."""

    def __init__(self, client: "SQSClient", url: str, source_url: str) -> None:
        self._client = client
        self._url = url
        self._source_url = source_url

    def receive(self) -> Iterator[Mapping[str, Any]]:
        """Every message that is there, each once, at most `MOST`; unseen by others for a moment."""
        seen: set[str] = set()
        while len(seen) < MOST:
            with aws_errors("SQS"):
                received = self._client.receive_message(
                    QueueUrl=self._url,
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

    def release(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Let others see messages again that were received."""
        for message in messages:
            with aws_errors("SQS"):
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )

    def delete(self, message: Mapping[str, Any]) -> None:
        with aws_errors("SQS"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def send_back(self, advance: Callable[[int], object]) -> int:
        """Send each message to the queue that this one is behind; how many. `advance` hears of it
        meanwhile."""
        moved = 0
        for message in self.receive():
            with aws_errors("SQS"):
                self._client.send_message(QueueUrl=self._source_url, MessageBody=message["Body"])
            self.delete(message)
            moved += 1
            advance(moved)
        return moved

    def move(self, advance: Callable[[int], object], sleep: Callable[[float], None]) -> int:
        """SQS's own way to the same end
        (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html)."""
        with aws_errors("SQS"):
            asked = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
            arn = asked["Attributes"]["QueueArn"]
            self._client.start_message_move_task(SourceArn=arn)
            while True:
                [task] = self._client.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]
                moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
                advance(moved)
                if task.get("Status") not in {"RUNNING", "CANCELLING"}:
                    return moved
                sleep(1)
