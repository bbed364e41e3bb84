"""Stripe's webhook signature, checked on the raw bytes.

The scheme is https://docs.stripe.com/webhooks#verify-manually: `Stripe-Signature: t=<epoch seconds>,v1=<hex>`
with one or more `v1`, each the HMAC-SHA256 of `<t>.<raw body>` under a signing secret. The SDK does the
same, but costs a webhook its cold start, accepts timestamps of the future, and fails with foreign
exceptions on bodies and headers that are not ASCII; it serves as the oracle of the tests.
"""

import hashlib
import hmac
from collections.abc import Iterable

from nyanko.errors import BadInput

MAX_AGE_SECONDS = 300
MAX_AHEAD_SECONDS = 60


def check_signature(body: bytes, header: str | None, secrets: Iterable[str], received_at: int) -> None:
    """Raise `BadInput` unless one of the secrets signed this body close to `received_at` (epoch seconds)."""
    timestamp, signatures = _parse(header)
    if timestamp < received_at - MAX_AGE_SECONDS:
        raise BadInput("InvalidSignature", f"the signature is older than {MAX_AGE_SECONDS} seconds")
    if timestamp > received_at + MAX_AHEAD_SECONDS:
        raise BadInput("InvalidSignature", "the signature is dated in the future")
    signed = b"%d." % timestamp + body
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(expected, signature) for signature in signatures):
            return
    raise BadInput("InvalidSignature", "no v1 signature matches the body")


def _parse(header: str | None) -> tuple[int, list[bytes]]:
    pairs = [part.partition("=") for part in (header or "").split(",")]
    timestamps = [value for key, _, value in pairs if key == "t"]
    signatures = [value.encode(errors="replace") for key, _, value in pairs if key == "v1"]
    # str.isdecimal accepts digits of other scripts, and int() accepts a sign and underscores.
    well_formed = len(timestamps) == 1 and timestamps[0].isascii() and timestamps[0].isdecimal()
    if not (well_formed and signatures and len(timestamps[0]) <= 12):
        raise BadInput("InvalidSignature", "the Stripe-Signature header is missing or malformed")
    return int(timestamps[0]), signatures
