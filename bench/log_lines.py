"""The lines that AWS itself writes into our logs, as long as they are in an account.

None of them can be had without AWS, so each is made after AWS's own description of its format.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests import template

EXECUTION_DATA = {"input", "output", "parameters"}
"""What Step Functions leaves out unless `IncludeExecutionData`."""

CONTEXT = {
    "requestTime": "25/Nov/2026:00:00:00 +0000",
    "requestId": "2f6b1c3e-6d0c-4b9e-9a7c-1f0e5d4c3b2a",
    "httpMethod": "POST",
    "path": "/stripe/webhook",
    "status": "200",
    "responseLatency": "123",
}
"""API Gateway's variables on a call of the webhook; it writes - for one that has no value."""

REQUEST_ID = "79104EXAMPLEB723-79104EXAMPLEB723-79"
TRACE = "Root=1-6553f100-0123456789abcdef01234567"
"""What Lambda tells a function that is not traced (https://github.com/aws/aws-xray-sdk-java/pull/409)."""


def of_function(folder: str) -> list[str]:
    """Of one warm invocation, at the function's level for them
    (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html). A report names a
    trace only if there is one (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html)."""
    if template.functions()[folder].system_log_level != "INFO":
        return []
    time = "2026-11-25T00:00:00.000Z"
    start = {"requestId": REQUEST_ID, "functionArn": _arn(folder), "version": "123"}
    report = {
        "requestId": REQUEST_ID,
        "metrics": {
            "durationMs": 23.456,
            "billedDurationMs": 24,
            "memorySizeMB": 512,
            "maxMemoryUsedMB": 100,
        },
        "status": "success",
    }
    return [
        json.dumps({"time": time, "type": f"platform.{kind}", "record": record}, separators=(",", ":"))
        for kind, record in (("start", start), ("report", report))
    ]


def of_workflow(history: Iterable[Mapping[str, Any]], execution_arn: str) -> list[str]:
    """One line for everything that happened in an execution, which is level ALL
    (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-log-level)."""
    return [_of_event(event, execution_arn) for event in history]


def of_access() -> str:
    """Of one call of the webhook, in the format that the template gives."""
    access_format: str = template.RESOURCES["RestApi"]["Properties"]["AccessLogSetting"]["Format"]
    return re.sub(r"\$context\.([\w.]+)", lambda name: CONTEXT.get(name[1], "-"), access_format)


def _of_event(event: Mapping[str, Any], execution_arn: str) -> str:
    details: Mapping[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    line = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {name: value for name, value in details.items() if name not in EXECUTION_DATA},
        "redrive_count": "0",
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": "1700000000000",
        "execution_arn": execution_arn,
    }
    return json.dumps(line, separators=(",", ":"))


def _arn(folder: str) -> str:
    return template.arn(template.functions()[folder].logical_id)
