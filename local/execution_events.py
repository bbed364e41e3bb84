"""Tells ministack how moto's executions ended, as Step Functions tells EventBridge and CloudWatch.

The event's shape: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html, the
metrics' names: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html. AWS also sends
RUNNING when an execution starts, and more metrics; nothing here listens for those.
"""

import json
from typing import Any

from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

METRICS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def publish_to(events: Any, cloudwatch: Any) -> None:  # noqa: ANN401 boto3 clients
    """From now on put an event on the default bus, and count, whenever an execution of this process ends."""
    terminated = BaseExecutionWorkerCommunication.terminated

    def terminated_and_told(self: BaseExecutionWorkerCommunication) -> None:
        terminated(self)
        described: dict[str, Any] = {**self.execution.to_describe_output()}
        events.put_events(Entries=[_entry(described)])
        cloudwatch.put_metric_data(Namespace="AWS/States", MetricData=[_count(described)])

    BaseExecutionWorkerCommunication.terminated = terminated_and_told  # type: ignore[method-assign]


def _count(described: dict[str, Any]) -> dict[str, Any]:
    return {
        "MetricName": METRICS[described["status"]],
        "Dimensions": [{"Name": "StateMachineArn", "Value": described["stateMachineArn"]}],
        "Unit": "Count",
        "Value": 1,
    }


def _entry(described: dict[str, Any]) -> dict[str, Any]:
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
