"""The reason that an operator filters by."""

import json

import pytest

from nyanko.errors import Permanent, Retryable
from nyanko.parking import CaughtError, parking_reason
from tests.data import MIKES_PURCHASE


def caught(error: Exception) -> CaughtError:
    cause = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
    return {"Error": type(error).__name__, "Cause": json.dumps(cause)}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Permanent("AmountMismatch", f"{MIKES_PURCHASE} costs 500, but Stripe collects 5"), "AmountMismatch"),
        (Retryable("StripeUnavailable", "Stripe answered 500: try later"), "StripeUnavailable"),
        (KeyError("quantity"), "KeyError"),
    ],
)
def test_our_errors_are_parked_by_their_code_and_others_by_their_name(error: Exception, reason: str) -> None:
    assert parking_reason(caught(error)) == (reason, str(error))


@pytest.mark.parametrize("cause", ["", "not json", "[]", "{}", "null"])
def test_an_error_without_an_exception_is_parked_by_its_name(cause: str) -> None:
    assert parking_reason({"Error": "States.Timeout", "Cause": cause}) == ("States.Timeout", cause)


def test_an_error_without_a_cause_is_parked_all_the_same() -> None:
    assert parking_reason({"Error": "States.Timeout"}) == ("States.Timeout", "")
