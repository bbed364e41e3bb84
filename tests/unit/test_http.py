"""API Gateway's events, whatever case and encoding they come in."""

import base64
import json

import pytest

from nyanko.apigateway import failure, header, json_body, raw_body
from nyanko.errors import BadInput, Permanent, Retryable

BODY = '{"name": "三毛猫"}'


def test_the_body_is_the_bytes_that_were_sent() -> None:
    encoded = base64.b64encode(BODY.encode()).decode()
    assert raw_body({"body": BODY, "isBase64Encoded": False}) == BODY.encode()
    assert raw_body({"body": encoded, "isBase64Encoded": True}) == BODY.encode()
    assert raw_body({"body": None}) == b""


@pytest.mark.parametrize("not_base64", ["三毛猫", "a", "????"])
def test_a_body_that_is_not_the_promised_base64_is_bad_input(not_base64: str) -> None:
    with pytest.raises(BadInput, match="base64"):
        raw_body({"body": not_base64, "isBase64Encoded": True})


@pytest.mark.parametrize("name", ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"])
def test_a_header_is_found_in_any_case(name: str) -> None:
    assert header({"headers": {"Accept": "*/*", name: "t=1"}}, "Stripe-Signature") == "t=1"


def test_a_header_that_is_not_there_is_none() -> None:
    assert header({"headers": None}, "Stripe-Signature") is None


@pytest.mark.parametrize("body", ["", "{", "三毛猫", "[" * 100_000])
def test_a_body_that_is_not_json_is_bad_input(body: str) -> None:
    with pytest.raises(BadInput, match="JSON"):
        json_body({"body": body})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("InvalidRequest", "no"), 400),
        (BadInput("NotFound", "no"), 404),
        (BadInput("IdempotencyMismatch", "no"), 409),
        (Permanent("WrongMode", "no"), 500),
        (Retryable("StripeUnavailable", "no"), 503),
    ],
)
def test_an_error_is_answered_by_its_kind(error: BadInput | Permanent | Retryable, status: int) -> None:
    refusal = failure(error)
    assert refusal["statusCode"] == status
    assert json.loads(refusal["body"]) == {"error": {"code": error.code, "message": "no"}}
    assert ("Retry-After" in refusal["headers"]) is (status == 503)
