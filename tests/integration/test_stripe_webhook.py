"""The webhook's function against SQS and Secrets Manager: what is accepted, what is refused, and as what."""

import base64
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from functions.stripe_webhook.app import lambda_handler
from nyanko.composition import clock
from nyanko.composition.function import aws_clients
from tests.forget import forget_adapters
from tests.invocation import invocation
from tests.stripe_events import SESSION, body, signature

NOW = 1_700_000_000
OLD, NEW = "whsec_old", "whsec_new"
PAID = body("checkout.session.completed", {**SESSION, "customer_details": {"name": "三毛猫🐈"}})


class Webhook:
    """The function with a queue behind it and its signing secrets in a store."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")
        self._secrets = boto3.client("secretsmanager")
        self.queue_url: str = self._sqs.create_queue(QueueName="payment_events")["QueueUrl"]

    def store_secrets(self, value: str) -> None:
        self._secrets.create_secret(Name="stg_jm_nyanko_stripe_webhook_secrets", SecretString=value)

    def post(self, sent: bytes, signature: str | None, **changed: Any) -> SimpleNamespace:
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["Stripe-Signature"] = signature
        # API Gateway hands on what is not UTF-8 with replacement characters.
        event = {"headers": headers, "body": sent.decode(errors="replace"), "isBase64Encoded": False}
        answered = lambda_handler({**event, **changed}, invocation())
        return SimpleNamespace(status=answered["statusCode"], body=json.loads(answered["body"]))

    def queued(self) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    for name, value in {
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "STAGE": "stg",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    forget_adapters()
    with mock_aws():
        webhook = Webhook()
        monkeypatch.setenv("PAYMENT_EVENTS_URL", webhook.queue_url)
        yield webhook
    forget_adapters()


@pytest.fixture
def webhook(unconfigured: Webhook) -> Webhook:
    unconfigured.store_secrets(f"{NEW}\n{OLD}\n")
    return unconfigured


def signed(sent: bytes, timestamp: int = NOW, secret: str = NEW) -> str:
    return signature(sent, secret, timestamp)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_signed_event_is_enqueued_as_it_came(webhook: Webhook, secret: str) -> None:
    signature = signed(PAID, secret=secret)
    assert webhook.post(PAID, signature).status == 200
    assert webhook.queued() == [
        {"event_id": "evt_mike", "received_at": NOW, "body": PAID.decode(), "signature": signature}
    ]


def test_base64_and_any_case_of_the_header_work(webhook: Webhook) -> None:
    encoded = base64.b64encode(PAID).decode()
    headers = {"STRIPE-signature": signed(PAID)}
    answered = webhook.post(PAID, None, body=encoded, isBase64Encoded=True, headers=headers)
    assert answered.status == 200
    assert webhook.queued()[0]["body"] == PAID.decode()


NOT_UTF8 = b'{"object": "event", "id": "evt_\xff"}'


@pytest.mark.parametrize(
    ("sent", "signature"),
    [
        (PAID, None),
        (PAID, f"t={NOW},v1=三毛猫"),
        (PAID, signed(PAID, secret="whsec_of_another")),
        (PAID, signed(PAID + b"\n")),
        (PAID, signed(PAID, NOW - 301)),
        (PAID, signed(PAID, NOW + 61)),
        (NOT_UTF8, signed(NOT_UTF8)),
        *[
            (sent, signed(sent))
            for sent in (
                b"",
                b"not json",
                b"[]",
                b"{}",
                body("customer.created", {}, id=None),
                b'{"object": "v2.core.event", "id": "evt_mike", "type": "v2.core.account.created"}',
            )
        ],
    ],
)
def test_bad_input_is_answered_400_and_nothing_is_enqueued(
    webhook: Webhook, sent: bytes, signature: str | None
) -> None:
    answered = webhook.post(sent, signature)
    assert answered.status == 400
    assert answered.body["error"]["code"] in {"InvalidSignature", "MalformedEvent"}
    assert webhook.queued() == []


def test_a_signed_body_that_is_not_utf8_is_answered_400_when_its_bytes_arrive(webhook: Webhook) -> None:
    encoded = base64.b64encode(NOT_UTF8).decode()
    answered = webhook.post(b"", signed(NOT_UTF8), body=encoded, isBase64Encoded=True)
    assert (answered.status, answered.body["error"]["code"]) == (400, "MalformedEvent")


@pytest.mark.parametrize("stored", [None, " \n"])
def test_an_empty_secret_disables_the_webhook(
    unconfigured: Webhook, stored: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if stored is not None:
        unconfigured.store_secrets(stored)
    answered = unconfigured.post(PAID, signed(PAID, secret=""))
    assert (answered.status, answered.body["error"]["code"]) == (503, "NotConfigured")
    assert unconfigured.queued() == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("code", ["InternalServerError", "RequestThrottled"])
def test_stripe_is_told_to_send_again_when_the_queue_does_not_take_the_event(
    webhook: Webhook, code: str
) -> None:
    with Stubber(aws_clients()("sqs")) as sqs:
        sqs.add_client_error("send_message", code, http_status_code=500)
        answered = webhook.post(PAID, signed(PAID))
    assert (answered.status, answered.body["error"]["code"]) == (503, "ServiceUnavailable")
