"""Stripe's error object, as https://docs.stripe.com/api/errors describes it."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """Becomes `{"error": {...}}` with the HTTP status `status`."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        type_: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        executed: bool = False,
    ) -> None:
        """`executed` tells that the call had begun, so that its idempotency key keeps this answer."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.status = status
        self.type = type_
        self.headers = dict(headers or {})
        self.executed = executed

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes#{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def missing(noun: str, key: str, param: str, status: int = 404) -> ApiError:
    """No object of that kind has that id; 404 for an id in the path, 400 for one in a parameter."""
    return ApiError(f"No such {noun}: '{key}'", code="resource_missing", param=param, status=status)


def rate_limited() -> ApiError:
    """https://docs.stripe.com/rate-limits with its header, https://docs.stripe.com/error-codes#rate-limit."""
    return ApiError(
        "Request rate limit exceeded. You can learn more about rate limits here "
        "https://docs.stripe.com/rate-limits.",
        code="rate_limit",
        status=429,
        headers={"Stripe-Rate-Limited-Reason": "global-rate"},
    )
