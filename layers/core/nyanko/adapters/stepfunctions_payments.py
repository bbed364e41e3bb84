"""Executions of the payment workflow, one name for each event and each of its replays."""

import json
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


class PaymentExecutions:
    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, event_id: str, delivery: Mapping[str, Any]) -> str | None:
        """Start the workflow for an event and return the execution's name, or None for a duplicate.

        The first execution is named by the event, so Step Functions itself refuses a second one. An event
        whose executions all failed is replayed as `<event_id>-r<n>`: "Resend" in Stripe's Dashboard replays.
        """
        for replay in count():
            name = f"{event_id}-r{replay}" if replay else event_id
            try:
                with aws_errors("Step Functions"):
                    self._client.start_execution(
                        stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(delivery)
                    )
            except self._client.exceptions.ExecutionAlreadyExists:
                if self._status(name) not in FAILED:
                    return None
            else:
                return name
        raise AssertionError("count() never ends")

    def _status(self, name: str) -> str:
        arn = f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        with aws_errors("Step Functions"):
            return self._client.describe_execution(executionArn=arn)["status"]
