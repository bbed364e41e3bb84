"""API Gateway's proxy events and answers.

Shapes: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from nyanko.errors import BadInput, BadInputCode, Refusal, Retryable

RETRY_AFTER_SECONDS = 5

STATUS: Mapping[BadInputCode, int] = {
    "InvalidToken": 401,
    "NotFound": 404,
    "Conflict": 409,
    "NotEnough": 409,
    "LimitReached": 409,
    "IdempotencyMismatch": 409,
    "CheckoutExpired": 409,
}
"""HTTP statuses of bad input; every other code is 400."""


def raw_body(proxy_event: Mapping[str, Any]) -> bytes:
    """The bytes that the caller sent; raises `BadInput` when API Gateway's base64 does not decode."""
    body = proxy_event.get("body") or ""
    if not proxy_event.get("isBase64Encoded"):
        # A lone surrogate cannot have come from bytes, so what stands in for it need not verify.
        return str(body).encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("InvalidRequest", "the body is not the base64 that isBase64Encoded promises") from None


def header(proxy_event: Mapping[str, Any], name: str) -> str | None:
    """The value of a header whatever the case of its name, or None."""
    for given, value in (proxy_event.get("headers") or {}).items():
        if given.lower() == name.lower():
            return str(value)
    return None


def answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "body": json.dumps(body, ensure_ascii=False),
    }


def failure(error: Refusal) -> dict[str, Any]:
    """The answer that an error of ours means: 4xx, 500 or 503."""
    if isinstance(error, BadInput):
        refusal = {"code": error.code, "message": error.message, **error.figures}
        return answer(STATUS.get(error.code, 400), {"error": refusal})
    body = {"error": {"code": error.code, "message": error.message}}
    if isinstance(error, Retryable):
        return answer(503, body, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return answer(500, body)


def json_body(proxy_event: Mapping[str, Any]) -> Any:  # noqa: ANN401 whatever JSON the caller sent
    """The body's JSON; raises `BadInput` when it is none."""
    try:
        return json.loads(raw_body(proxy_event).decode())
    except (ValueError, RecursionError):
        raise BadInput("InvalidRequest", "the body is not JSON in UTF-8") from None
