"""Executions of the payment workflow as operators look at them, and continue them."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.executions import FORGOTTEN, Execution, NotRedrivable, execution_arn

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ExecutionHistory:
    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def with_status(self, status: Any) -> Iterator[str]:  # noqa: ANN401 the SDK types it as literals
        """Names of the executions with this status, the newest first."""
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._state_machine_arn, statusFilter=status
        )
        with aws_errors("Step Functions"):
            for page in pages:
                yield from (one["name"] for one in page["executions"])

    def recent(self, most: int) -> list[str]:
        """Names of the newest executions."""
        with aws_errors("Step Functions"):
            listed = self._client.list_executions(stateMachineArn=self._state_machine_arn, maxResults=most)
        return [one["name"] for one in listed["executions"]]

    def execution(self, name: str) -> Execution:
        """An execution with the states it entered; one that Step Functions does not know is `FORGOTTEN`."""
        arn = execution_arn(self._state_machine_arn, name)
        try:
            with aws_errors("Step Functions"):
                described = self._client.describe_execution(executionArn=arn)
                pages = self._client.get_paginator("get_execution_history").paginate(
                    executionArn=arn, includeExecutionData=False
                )
                history = [event for page in pages for event in page["events"]]
        except self._client.exceptions.ExecutionDoesNotExist:
            return Execution(name, FORGOTTEN)
        return Execution(
            name=name,
            status=described["status"],
            started_at=_epoch(described["startDate"]),
            stopped_at=_epoch(described["stopDate"]) if "stopDate" in described else None,
            states=[
                (event["stateEnteredEventDetails"]["name"], _epoch(event["timestamp"]))
                for event in history
                if "stateEnteredEventDetails" in event
            ],
            error=described.get("error"),
            cause=described.get("cause"),
            input=described.get("input", ""),
        )

    def definition(self, name: str) -> str | None:
        """The definition, as JSON, that an execution ran by; None if Step Functions has forgotten it."""
        try:
            with aws_errors("Step Functions"):
                found = self._client.describe_state_machine_for_execution(
                    executionArn=execution_arn(self._state_machine_arn, name)
                )
        except self._client.exceptions.ExecutionDoesNotExist:
            return None
        return found["definition"]

    def redrive(self, name: str) -> None:
        """Have Step Functions continue an execution where it stopped, within 14 days of its end
        (https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html).

        Raises `NotRedrivable`.
        """
        exceptions = self._client.exceptions
        try:
            with aws_errors("Step Functions"):
                self._client.redrive_execution(executionArn=execution_arn(self._state_machine_arn, name))
        except (exceptions.ExecutionNotRedrivable, exceptions.ExecutionDoesNotExist) as error:
            raise NotRedrivable(f"{name} cannot be redriven ({error})") from error


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
