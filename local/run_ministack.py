"""Runs ministack, mended from outside where this system needs more of AWS than it has.

`python -m local.run_ministack` with the settings that `programs` passes in the environment.
"""
# ruff: noqa: SLF001, ANN401 -- to mend a program from outside is to reach into it, and it is not typed

import contextvars
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, cloudwatch, eventbridge, lambda_svc
from ministack.services.cloudformation import provisioners

MAX_WORKERS = 4
"""Of each function."""
WAIT_SECONDS = 0.005
PAUSE = 30
"""Between two looks at the alarms, in times of what the first took, if that makes more than a second."""


def accept_events_of_step_functions() -> None:
    """Executions run in another program, and PutEvents refuses AWS's own sources to all outsiders."""
    put_events = eventbridge._put_events

    def put_any_events(data: dict[str, Any], **_: object) -> Any:
        return put_events(data, allow_aws_source=True)

    eventbridge._put_events = put_any_events


def respect_conditions_of_authorizers() -> None:
    """Ministack looks at no condition, so that a cached Allow would outlive the player's token.

    This looks at the one that our authorizer sets: `DateLessThan` of `aws:CurrentTime`.
    """
    evaluate = apigateway_v1._evaluate_policy

    def evaluate_what_holds(policy: dict[str, Any], method_arn: str) -> Any:
        holding = [statement for statement in policy["Statement"] if _holds(statement, datetime.now(UTC))]
        return evaluate({**policy, "Statement": holding}, method_arn)

    apigateway_v1._evaluate_policy = evaluate_what_holds


def _holds(statement: dict[str, Any], now: datetime) -> bool:
    end = statement.get("Condition", {}).get("DateLessThan", {}).get("aws:CurrentTime")
    return end is None or now < datetime.fromisoformat(end)


def read_openapi_documents_to_the_end() -> None:
    """Ministack skips the gateway responses of an API, and the answers of mock integrations (CORS)."""
    import_rest_api = apigateway_v1._import_rest_api
    import_operation = apigateway_v1._import_operation

    def import_with_gateway_responses(document: dict[str, Any], *arguments: Any) -> str:
        api_id: str = import_rest_api(document, *arguments)
        for kind, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
            apigateway_v1._put_gateway_response(api_id, kind, response)
        return api_id

    def import_with_answers(
        api_id: str, resource_id: str, method: str, operation: dict[str, Any], *arguments: Any
    ) -> None:
        import_operation(api_id, resource_id, method, operation, *arguments)
        integration = operation.get("x-amazon-apigateway-integration", {})
        for response in integration.get("responses", {}).values():
            status = str(response["statusCode"])
            apigateway_v1._put_integration_response(api_id, resource_id, method, status, response)

    apigateway_v1._import_rest_api = import_with_gateway_responses
    apigateway_v1._import_operation = import_with_answers


def keep_logs_of_functions_in(path: Path) -> None:
    """What functions print, for a developer to follow; CloudWatch Logs has it too."""
    emit = lambda_svc._emit_lambda_logs

    def emit_and_keep(
        func: dict[str, Any], request_id: str, text: str, *arguments: Any, **options: Any
    ) -> None:
        emit(func, request_id, text, *arguments, **options)
        if text:
            with path.open("a") as log:
                log.write(f"{text}\n")

    lambda_svc._emit_lambda_logs = emit_and_keep


def read_figures_out_of_logs() -> None:
    """CloudWatch reads the embedded metric format out of logs, ministack not out of those of functions."""
    emit = lambda_svc._emit_lambda_logs

    def emit_and_read(
        func: dict[str, Any], request_id: str, text: str, *arguments: Any, **options: Any
    ) -> None:
        emit(func, request_id, text, *arguments, **options)
        for line in text.splitlines():
            if line.startswith('{"_aws":'):
                _record(json.loads(line))

    lambda_svc._emit_lambda_logs = emit_and_read


def _record(figures: dict[str, Any]) -> None:
    for directive in figures["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: figures[name] for name in names}
            for metric in directive["Metrics"]:
                for value in figures[metric["Name"]]:
                    cloudwatch.record_metric(
                        directive["Namespace"], metric["Name"], value, metric["Unit"], dimensions
                    )


def look_at_alarms_once_a_second() -> None:
    """Ministack looks at every alarm and all figures whenever one is put, and at their age with every call:
    after some thousand purchases it did little else.
    """
    look = cloudwatch._evaluate_all_alarms

    def keep_looking() -> None:
        took = 0.0
        while True:
            time.sleep(max(1, PAUSE * took))
            began = time.thread_time()
            look()
            took = time.thread_time() - began

    cloudwatch._evaluate_all_alarms = cloudwatch._evict_old_metrics = lambda: None
    Thread(target=keep_looking, name="look-at-alarms", daemon=True).start()


def start_functions_when_they_are_made() -> None:
    """A first purchase would otherwise wait for eight cold starts, one after the other."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handlers["create"]
    starters = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="start-function")

    def create_and_start(*arguments: Any) -> Any:
        name, attributes = create(*arguments)
        function = lambda_svc._functions[name]
        worker = lambda_runtime.get_or_create_worker(name, function["config"], function["code_zip"])
        starters.submit(contextvars.copy_context().run, lambda_runtime.ensure_spawned, worker)
        return name, attributes

    handlers["create"] = create_and_start


def keep_few_workers() -> None:
    """Ministack starts a process for each invocation that finds none idle. In a burst those starts eat the
    processor, so that nothing becomes idle and still more are started; here invocations wait for a worker.
    """
    lambda_runtime._LOCAL_MAX_WORKERS = MAX_WORKERS
    acquire = lambda_svc.acquire_worker

    def acquire_or_wait(*arguments: Any, **options: Any) -> Any:
        while True:
            worker, reason = acquire(*arguments, **options)
            if reason != "func_cap":
                return worker, reason
            time.sleep(WAIT_SECONDS)

    lambda_svc.acquire_worker = acquire_or_wait


if __name__ == "__main__":
    accept_events_of_step_functions()
    respect_conditions_of_authorizers()
    read_openapi_documents_to_the_end()
    keep_logs_of_functions_in(Path(os.environ["FUNCTION_LOGS"]))
    read_figures_out_of_logs()
    look_at_alarms_once_a_second()
    start_functions_when_they_are_made()
    keep_few_workers()
    app.main()
