"""Nothing is lost or parked because a quota was hit: what waits has the time to wait.

Quotas and their sources are in quotas.yaml; what a burst does to them is in docs/scale.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nyanko.adapters.stepfunctions_payments import ATTEMPTS
from nyanko.composition.function import adapters
from nyanko.use_cases.start_payment import MESSAGE_SECONDS
from tests import template
from tests.forget import forget_adapters

QUOTAS: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("quotas.yaml").read_text())
START_PAYMENT = template.functions()["start_payment"]
MAPPING: dict[str, Any] = START_PAYMENT.events["PaymentEvents"]["Properties"]
QUEUE: dict[str, Any] = template.RESOURCES["PaymentEvents"]["Properties"]
METHODS: dict[str, Any] = {
    setting["ResourcePath"]: setting
    for setting in template.RESOURCES["RestApi"]["Properties"]["MethodSettings"]
}
HALF_A_DAY = 12 * 3600


def test_the_queue_waits_six_times_as_long_as_its_function_may_take() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    assert QUEUE["VisibilityTimeout"] >= 6 * START_PAYMENT.timeout


def test_a_message_is_given_up_after_half_a_day_of_failures_and_before_it_expires() -> None:
    failing = QUEUE["VisibilityTimeout"] * QUEUE["RedrivePolicy"]["maxReceiveCount"]
    assert HALF_A_DAY <= failing < QUEUE["MessageRetentionPeriod"]


def test_a_message_has_the_time_for_all_its_attempts_and_the_function_for_more_than_one_message() -> None:
    """Between attempts the SDK waits up to 1, 2, 4, … seconds
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)."""
    waits = sum(2**attempt for attempt in range(ATTEMPTS - 1))
    calls = ATTEMPTS * QUOTAS["assumed"]["start_execution_seconds"]
    assert waits + calls < MESSAGE_SECONDS < START_PAYMENT.timeout


def test_starts_are_attempted_as_often_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_STATE_MACHINE_ARN", template.arn("PaymentStateMachine"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", template.REGION)
    forget_adapters()
    try:
        client: Any = adapters().payment_executions._client
    finally:
        forget_adapters()
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": ATTEMPTS}


def test_executions_are_started_no_faster_than_their_transitions_are_allowed() -> None:
    quotas = QUOTAS["step_functions"]
    assert starts() <= quotas["start_execution"]["per_second"]
    assert starts() * transitions() <= quotas["state_transition"]["per_second"]


def test_a_copy_beside_a_running_execution_comes_back_before_the_age_of_the_queue_rings() -> None:
    """Two endpoints of one URL deliver everything twice: Stripe's own way to another version of its API.
    While checkout is at Stripe's limit, twice as many messages still find no queue before them."""
    alarms = dict(template.each("AWS::CloudWatch::Alarm"))
    assert QUEUE["VisibilityTimeout"] + START_PAYMENT.timeout < alarms["QueueAgeAlarm"]["Threshold"]
    assert 2 * QUOTAS["stripe"]["endpoint_requests_per_second"] < starts()


def starts() -> float:
    """How many executions all batches that may be under way start in a second."""
    assumed, batch = QUOTAS["assumed"], MAPPING["BatchSize"]
    seconds = batch * assumed["start_execution_seconds"] + assumed["batch_overhead_seconds"]
    started: float = MAPPING["ScalingConfig"]["MaximumConcurrency"] * batch / seconds
    return started


def transitions() -> int:
    """Of a purchase that is granted: StartExecution's, and one for each state."""
    definition = template.definition("PaymentStateMachine")
    number, state = 1, definition["StartAt"]
    while state:
        number, state = number + 1, definition["States"][state].get("Next")
    return number


def test_the_webhook_takes_what_the_account_allows_and_leaves_half_of_it_to_the_players() -> None:
    webhook, quotas = METHODS["/~1stripe~1webhook"], QUOTAS["api_gateway"]
    assert webhook["HttpMethod"] == "POST"
    assert webhook["ThrottlingRateLimit"] == quotas["requests_per_second"] / 2
    assert webhook["ThrottlingBurstLimit"] == quotas["burst"]
    others = METHODS["/*"]["ThrottlingRateLimit"]
    assert webhook["ThrottlingRateLimit"] + others < quotas["requests_per_second"]


def test_the_webhook_is_measured_and_logged_like_every_other_route() -> None:
    for setting in ("LoggingLevel", "MetricsEnabled"):
        assert METHODS["/~1stripe~1webhook"][setting] == METHODS["/*"][setting]
