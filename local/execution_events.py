"""Tells ministack's event bus how moto's executions ended, as Step Functions tells EventBridge.

The event's shape: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html. AWS also
sends RUNNING when an execution starts; nothing here listens for that.
"""

import json
from typing import Any

from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution


def publish_to(events: Any) -> None:  # noqa: ANN401 a boto3 client of EventBridge
    """From now on put an event on the default bus whenever an execution of this process ends."""
    terminated = BaseExecutionWorkerCommunication.terminated

    def terminated_and_told(self: BaseExecutionWorkerCommunication) -> None:
        terminated(self)
        events.put_events(Entries=[_entry(self.execution)])

    BaseExecutionWorkerCommunication.terminated = terminated_and_told  # type: ignore[method-assign]


def _entry(execution: Execution) -> dict[str, Any]:
    described: dict[str, Any] = {**execution.to_describe_output()}
    succeeded = described["status"] == "SUCCEEDED"
    detail = {
        "executionArn": described["executionArn"],
        "stateMachineArn": described["stateMachineArn"],
        "name": described["name"],
        "status": described["status"],
        "startDate": int(described["startDate"].timestamp() * 1000),
        "stopDate": int(described["stopDate"].timestamp() * 1000),
        "input": described["input"],
        "inputDetails": {"included": True},
        "output": described.get("output"),
        "outputDetails": {"included": True} if succeeded else None,
        "error": described.get("error"),
        "cause": described.get("cause"),
    }
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [described["executionArn"]],
        "Detail": json.dumps(detail),
    }
