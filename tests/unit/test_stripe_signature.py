"""The signature check, with Stripe's own SDK as its oracle."""

import hashlib
import hmac
from collections.abc import Sequence

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from nyanko.errors import BadInput
from nyanko.stripe_signature import check_signature

SECRET = "whsec_nyanko"
NOW = 1_700_000_000
BODY = '{\n  "id": "evt_mike", "name": "三毛猫🐈"\n}'.encode()


def sign(body: bytes, timestamp: int = NOW, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def accepted(body: bytes, header: str | None, secrets: Sequence[str] = (SECRET,)) -> bool:
    try:
        check_signature(body, header, secrets, NOW)
    except BadInput:
        return False
    return True


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},v1={sign(BODY)}",
        f"t={NOW},v1={'0' * 64},v1={sign(BODY)}",
        f"t={NOW},v1={sign(BODY)},v0=whatever",
        f"v1={sign(BODY)},t={NOW}",
        f"t={NOW - 300},v1={sign(BODY, NOW - 300)}",
        f"t={NOW + 60},v1={sign(BODY, NOW + 60)}",
    ],
)
def test_a_body_that_stripe_signed_is_accepted(header: str) -> None:
    assert accepted(BODY, header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"t={NOW}",
        f"v1={sign(BODY)}",
        f"t=,v1={sign(BODY)}",
        f"t=yesterday,v1={sign(BODY)}",
        f"t=-{NOW},v1={sign(BODY)}",
        f"t=1_700_000_000,v1={sign(BODY)}",
        f"t=１７０００００００0,v1={sign(BODY)}",
        f"t={'9' * 5000},v1={sign(BODY)}",
        f"t={NOW},t={NOW},v1={sign(BODY)}",
        f"t={NOW},v0={sign(BODY)}",
        f"t={NOW},v1=",
        f"t={NOW},v1={sign(BODY, secret='whsec_other')}",
        f"t={NOW},v1={sign(BODY).upper()}",
        f"t={NOW},v1=三毛猫",
        f"t={NOW},v1=\udcff",
        f"t={NOW},v1={sign(BODY + b' ')}",
        f"t={NOW - 301},v1={sign(BODY, NOW - 301)}",
        f"t={NOW + 61},v1={sign(BODY, NOW + 61)}",
    ],
)
def test_everything_else_is_bad_input_and_never_another_error(header: str | None) -> None:
    assert not accepted(BODY, header)


def test_two_secrets_are_accepted_side_by_side_while_one_is_rolled() -> None:
    old, new = "whsec_old", "whsec_new"
    for secret in (old, new):
        assert accepted(BODY, f"t={NOW},v1={sign(BODY, secret=secret)}", [old, new])


def test_no_secret_accepts_nothing() -> None:
    assert not accepted(BODY, f"t={NOW},v1={sign(BODY, secret='')}", [])


@given(st.text(), st.sampled_from([SECRET, "whsec_other"]), st.integers(0, 300), st.booleans())
def test_it_decides_as_the_sdk_does(text: str, secret: str, age: int, spoilt: bool) -> None:  # noqa: FBT001 drawn
    body = text.encode(errors="replace")
    sent = body + b"!" if spoilt else body
    header = f"t={NOW - age},v1={sign(body, NOW - age, secret)}"
    try:
        # Without a tolerance, since the SDK's clock cannot be set.
        stripe.WebhookSignature.verify_header(sent.decode(), header, SECRET, tolerance=None)
    except stripe.SignatureVerificationError:
        oracle = False
    else:
        oracle = True
    assert accepted(sent, header) is oracle
