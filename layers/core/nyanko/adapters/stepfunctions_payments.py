"""Executions of the payment workflow, one name for each event and each of its replays."""

import json
from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.deliveries import Delivery
from nyanko.executions import execution_arn

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ATTEMPTS = 5
"""At each call, waiting up to 1, 2, 4 and 8 seconds between them: a call that is throttled waits here for its
turn, within the time of its function, and not in the queue, where each return counts
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)."""


class PaymentExecutions:
    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, name: str, delivery: Delivery) -> bool:
        """Start an execution of this name; False if there is one already."""
        try:
            with aws_errors("Step Functions"):
                self._client.start_execution(
                    stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(delivery)
                )
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def status(self, name: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None if there is no such execution, or none any
        more: Step Functions forgets them after 90 days."""
        try:
            with aws_errors("Step Functions"):
                return self._client.describe_execution(
                    executionArn=execution_arn(self._state_machine_arn, name)
                )["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return None
