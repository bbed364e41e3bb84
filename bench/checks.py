"""`python -m bench.checks`: how many signatures and tokens are checked in a second, beside the libraries.

A webhook's signature is checked beside the Stripe SDK's `construct_event`, which also reads the event, as
ours does afterwards. A token is checked beside python-jose alone with the key at hand, and beside the floor:
the one verification of an ES256 signature by `cryptography` that nobody can do without.
"""

import base64
import time
from collections.abc import Callable, Mapping
from statistics import median

import stripe
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jose import jwk, jwt

from bench.report import PERFORMANCE, Spread, table, taken, write
from nyanko.adapters.http_request import Answer
from nyanko.adapters.web3auth import Web3AuthVerifier
from nyanko.stripe_events import parse
from nyanko.stripe_signature import check_signature
from tests.first_calls import event
from tests.stripe_events import SECRET
from tests.web3auth_tokens import CLAIMS, CLIENT_ID, ISSUERS, KEY, SOCIAL, JwksHost, public_jwk, token

ROUNDS = 15
SECONDS = 0.1
"""About as long is each check repeated in a round."""

OURS, SDK = "nyanko: signature, then the event", "Stripe SDK: `construct_event`"
TOKEN, JOSE, FLOOR = (
    "nyanko: the whole token",
    "python-jose: `jwt.decode`",
    "cryptography: the ES256 verification",
)


def main() -> None:
    signatures = _measure(_signature_checks())
    host = JwksHost()
    tokens = _measure(_token_checks(host.fetch))
    fetches = len(host.fetched)
    write(PERFORMANCE, "checks", f"{taken('python -m bench.checks')}\n\n{_told(signatures, tokens, fetches)}")


def _signature_checks() -> dict[str, Callable[[], object]]:
    request = event("stripe_webhook")
    body, signature = request["body"], request["headers"]["Stripe-Signature"]
    now = int(time.time())

    def ours() -> None:
        sent = body.encode()
        check_signature(sent, signature, [SECRET], now)
        parse(sent)

    def sdk() -> None:
        stripe.Webhook.construct_event(body, signature, SECRET)

    return {OURS: ours, SDK: sdk}


def _token_checks(fetch: Callable[[str, str, float], Answer]) -> dict[str, Callable[[], object]]:
    issued = int(time.time())
    sent = token(claims={**CLAIMS, "iat": issued, "exp": issued + 3600})
    verifier = Web3AuthVerifier(ISSUERS, CLIENT_ID, time.time, fetch)
    prebuilt = jwk.construct(public_jwk(KEY), "ES256")
    signed, _, raw = sent.rpartition(".")
    halves = base64.urlsafe_b64decode(raw + "==")
    r, s = (int.from_bytes(half, "big") for half in (halves[:32], halves[32:]))
    der, public, ecdsa = encode_dss_signature(r, s), KEY.public_key(), ec.ECDSA(SHA256())

    def ours() -> None:
        verifier.verify(sent)

    def jose() -> None:
        jwt.decode(sent, prebuilt, algorithms=["ES256"], audience=CLIENT_ID, issuer=SOCIAL)

    def floor() -> None:
        public.verify(der, signed.encode(), ecdsa)

    return {TOKEN: ours, JOSE: jose, FLOOR: floor}


def _measure(checks: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU time in microseconds, by round."""
    calls = {name: max(1, round(SECONDS / _seconds(check, 20))) for name, check in checks.items()}
    found: dict[str, list[float]] = {name: [] for name in checks}
    for round_ in range(ROUNDS):
        print(f"{', '.join(checks)}: round {round_ + 1} of {ROUNDS} …", flush=True)
        for name, check in checks.items():
            found[name].append(_seconds(check, calls[name]) * 1e6)
    return found


def _seconds(check: Callable[[], object], calls: int) -> float:
    before = time.process_time()
    for _ in range(calls):
        check()
    return (time.process_time() - before) / calls


def _told(signatures: Mapping[str, list[float]], tokens: Mapping[str, list[float]], fetches: int) -> str:
    rows = [
        [name, Spread.of(figures), f"{1e6 / median(figures):,.0f}", f"{_ratio(figures, floor):.2f}"]
        for measured, floor in ((signatures, signatures[OURS]), (tokens, tokens[FLOOR]))
        for name, figures in measured.items()
    ]
    size, whole = len(event("stripe_webhook")["body"].encode()), _ratio(tokens[TOKEN], tokens[FLOOR])
    return (
        f"{table(['', 'CPU µs', 'a second', 'ratio'], rows)}\n\n"
        f"The event has {size:,} bytes. Ratios are to ours, and of tokens to the verification: a whole token "
        f"takes\n{whole:.2f} of it (target: at most 1.6). Fetches of keys, for all tokens: {fetches}."
    )


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over rounds, whose figures were measured one after the other."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
