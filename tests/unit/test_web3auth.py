"""Web3Auth's tokens: who is let in, and that everything else is refused in one way."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from nyanko.adapters.web3auth import Identity, Web3AuthVerifier
from nyanko.errors import BadInput
from tests.web3auth_tokens import (
    ADDRESS,
    APP_KEY,
    BAD_TOKENS,
    CLAIMS,
    CLIENT_ID,
    EXTERNAL_CLAIMS,
    EXTERNAL_HEADER,
    EXTERNAL_JWKS,
    EXTERNAL_KEY,
    GOOD,
    HEADER,
    ISSUERS,
    KEY,
    NOW,
    OTHER_KEY,
    P384_KEY,
    PEM,
    SOCIAL,
    SOCIAL_JWKS,
    WALLETS,
    Clock,
    JwksHost,
    claiming,
    headed,
    public_jwk,
    token,
    wallet,
    without,
)


def verifier(host: JwksHost | None = None, clock: Clock | None = None) -> Web3AuthVerifier:
    return Web3AuthVerifier(ISSUERS, CLIENT_ID, clock or Clock(), (host or JwksHost()).fetch)


def outcome(sent: Any, checker: Web3AuthVerifier | None = None) -> str:
    """The player let in, or the reason of the refusal; any other exception is the test's failure."""
    try:
        return (checker or verifier()).verify(sent).player_id
    except BadInput as refusal:
        return f"refused: {refusal.message}" if refusal.code == "InvalidToken" else refusal.code


def test_a_social_login_is_the_player_of_its_app_key_until_the_token_expires() -> None:
    assert verifier().verify(GOOD) == Identity(APP_KEY, NOW - 100 + 86_400)


def test_an_external_wallet_is_the_player_of_its_address() -> None:
    assert outcome(token(EXTERNAL_HEADER, EXTERNAL_CLAIMS, EXTERNAL_KEY)) == ADDRESS.lower()


@pytest.mark.parametrize("sent", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused_and_nothing_of_it_is_told(sent: Any) -> None:
    refusal = outcome(sent)
    assert refusal.startswith("refused: ")
    for private in ("mike@example.com", "Mike Nyanko", APP_KEY, *str(sent).split(".")):
        assert len(private) < 8 or private not in refusal


@pytest.mark.parametrize(
    "sent",
    [
        claiming(aud=["BAnotherProject", CLIENT_ID]),
        claiming(iat=NOW + 60),
        claiming(exp=NOW + 0.5),
        claiming(exp=NOW + 1),
        claiming(nbf=NOW),
        wallet(public_key=APP_KEY.upper()),
        claiming(wallets=[*WALLETS, {"type": "ethereum", "address": ADDRESS}]),
        token(claims=without(CLAIMS, "email", "name", "userId", "nonce")),
        headed(typ="at+jwt", jku="https://evil.example", x5c=["x"]),
    ],
)
def test_a_token_within_the_rules_is_let_in(sent: str) -> None:
    assert outcome(sent) == APP_KEY


@pytest.mark.parametrize("kid", [{}, {"kid": "whatever"}])
def test_a_token_without_kid_is_checked_with_the_only_key(kid: dict[str, str]) -> None:
    only = verifier(JwksHost(**{SOCIAL_JWKS: [{"kty": "RSA"}, public_jwk(KEY, **kid)]}))
    assert outcome(token(without(HEADER, "kid")), only) == APP_KEY


def test_two_keys_of_one_kid_are_as_good_as_none() -> None:
    keys = [public_jwk(KEY, kid="social-1"), public_jwk(OTHER_KEY, kid="social-1")]
    assert "no such key" in outcome(GOOD, verifier(JwksHost(**{SOCIAL_JWKS: keys})))


@pytest.mark.parametrize("pem", [PEM.decode(), PEM.decode().replace("\n", "\\n")], ids=["PEM", "Dashboard"])
def test_a_pinned_key_needs_no_network_and_no_kid(pem: str) -> None:
    host = JwksHost()
    pinned = Web3AuthVerifier(json.dumps([{"issuer": SOCIAL, "pem": pem}]), CLIENT_ID, Clock(), host.fetch)
    assert [outcome(sent, pinned) for sent in (GOOD, token(without(HEADER, "kid")))] == [APP_KEY, APP_KEY]
    assert "signature" in outcome(token(key=OTHER_KEY), pinned)
    assert host.fetched == []


def pem_of(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


@pytest.mark.parametrize(
    ("issuers", "audience"),
    [
        (ISSUERS, ""),
        ("[]", CLIENT_ID),
        ("not JSON", CLIENT_ID),
        ('[{"jwks_url": "https://x"}]', CLIENT_ID),
        ('[{"issuer": "https://x"}]', CLIENT_ID),
        ('[{"issuer": "https://x", "jwks_url": "https://x", "pem": "x"}]', CLIENT_ID),
        ('["https://x"]', CLIENT_ID),
        (json.dumps([{"issuer": SOCIAL, "pem": "no PEM"}]), CLIENT_ID),
        (json.dumps([{"issuer": SOCIAL, "pem": pem_of(P384_KEY)}]), CLIENT_ID),
        (json.dumps([{"issuer": SOCIAL, "pem": pem_of(rsa.generate_private_key(65_537, 2048))}]), CLIENT_ID),
    ],
)
def test_settings_that_let_in_strangers_or_nobody_are_refused_at_the_start(
    issuers: str, audience: str
) -> None:
    with pytest.raises(ValueError, match=r"Web3Auth|pinned|Expecting"):
        Web3AuthVerifier(issuers, audience, Clock(), JwksHost().fetch)


def test_a_pinned_private_key_is_used_as_the_public_key_it_contains() -> None:
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = json.dumps([{"issuer": SOCIAL, "pem": private}])
    assert outcome(GOOD, Web3AuthVerifier(settings, CLIENT_ID, Clock())) == APP_KEY


@pytest.mark.parametrize(
    "header", [None, "", "Bearer ", GOOD, f"Basic {GOOD}", f"Bearer  {GOOD}", f"Bearer {GOOD} x", b"Bearer x"]
)
def test_an_authorization_header_that_holds_no_bearer_token_is_refused(header: Any) -> None:
    with pytest.raises(BadInput) as refusal:
        verifier().verify_authorization(header)
    assert refusal.value.code == "InvalidToken"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_scheme_of_the_authorization_header_has_no_case(scheme: str) -> None:
    assert verifier().verify_authorization(f"{scheme} {GOOD}").player_id == APP_KEY


def test_a_flood_of_unknown_kids_costs_the_issuer_one_fetch_a_minute() -> None:
    host, clock = JwksHost(), Clock()
    checker = verifier(host, clock)
    for second in range(180):
        clock.now = NOW + second
        assert "no such key" in outcome(headed(kid=f"invented-{second}"), checker)
        assert outcome(GOOD, checker) == APP_KEY
    assert host.fetched == [SOCIAL_JWKS] * 3


def test_the_flood_at_one_issuer_does_not_delay_the_other() -> None:
    host = JwksHost()
    checker = verifier(host)
    for sent in (headed(kid="invented"), headed(kid="invented"), GOOD):
        outcome(sent, checker)
    assert outcome(token(EXTERNAL_HEADER, EXTERNAL_CLAIMS, EXTERNAL_KEY), checker) == ADDRESS.lower()
    assert host.fetched == [SOCIAL_JWKS, EXTERNAL_JWKS]


def test_tokens_that_are_hopeless_cost_the_issuer_nothing() -> None:
    host = JwksHost()
    checker = verifier(host)
    for name in ("alg none, signed", "crit", "iss of somebody else", "kid a number", "huge", "a cat"):
        assert outcome(BAD_TOKENS[name], checker).startswith("refused")
    assert host.fetched == []


def test_a_rotated_key_is_fetched_when_the_first_token_names_it() -> None:
    host, clock = JwksHost(), Clock()
    checker = verifier(host, clock)
    assert outcome(GOOD, checker) == APP_KEY
    host.keys[SOCIAL_JWKS] = [public_jwk(OTHER_KEY, kid="social-3")]
    rotated = token(HEADER | {"kid": "social-3"}, key=OTHER_KEY)
    clock.now = NOW + 60
    assert outcome(rotated, checker) == APP_KEY
    assert "no such key" in outcome(GOOD, checker)


def test_keys_are_kept_for_an_hour_and_then_fetched_again() -> None:
    host, clock = JwksHost(), Clock()
    checker = verifier(host, clock)
    seen = []
    for clock.now in (NOW, NOW + 3_599, NOW + 3_600):
        outcome(GOOD, checker)
        seen.append(len(host.fetched))
    assert seen == [1, 1, 2]


ODD_KEYS = [1, {}, {"kty": "EC", "crv": "P-256", "x": 1, "y": None}]
BREAKS: dict[str, dict[str, Any]] = {
    "HTML": {"body": b"<html>"},
    "nested too deep": {"body": b"[" * 60_000},
    "no keys": {"body": b'{"keys": null}'},
    "odd keys": {"body": json.dumps({"keys": ODD_KEYS}).encode()},
    "a list": {"body": b"[]"},
    "a redirect": {"status": 302},
    "an error": {"status": 500},
    "down": {"down": True},
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_known_keys_outlive_a_jwks_host_that_fails(broken: dict[str, Any]) -> None:
    host, clock = JwksHost(), Clock()
    checker = verifier(host, clock)
    assert outcome(GOOD, checker) == APP_KEY
    vars(host).update(broken)
    clock.now = NOW + 7_200
    assert outcome(GOOD, checker) == APP_KEY
    assert len(host.fetched) == 2


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_a_jwks_host_that_fails_from_the_start_lets_nobody_in_and_recovers(broken: dict[str, Any]) -> None:
    host, clock = JwksHost(), Clock()
    vars(host).update(broken)
    checker = verifier(host, clock)
    assert [outcome(GOOD, checker)[:7] for _ in range(10)] == ["refused"] * 10
    assert len(host.fetched) == 1
    host.__init__()  # type: ignore[misc] # as good as new
    clock.now = NOW + 60
    assert outcome(GOOD, checker) == APP_KEY


@given(st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\Z"))
def test_no_text_is_let_in_or_breaks_the_check(sent: str) -> None:
    assert outcome(sent).startswith("refused")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "jwk"]), json_values),
    st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf"]), json_values, min_size=1),
)
def test_no_claim_that_web3auth_signs_breaks_the_check(header: Any, claims: Any) -> None:
    told = outcome(token(HEADER | header, CLAIMS | claims))
    assert told == APP_KEY or told.startswith("refused")


@given(json_values)
def test_no_wallets_but_ours_are_a_player(wallets: Any) -> None:
    assert outcome(claiming(wallets=wallets)) == "refused: the wallets do not name one player"


@given(st.data())
def test_a_token_changed_in_any_character_of_what_is_signed_is_refused(data: st.DataObject) -> None:
    signed, _, signature = GOOD.rpartition(".")
    at = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda character: character != signed[at]))
    assert outcome(f"{signed[:at]}{other}{signed[at + 1 :]}.{signature}").startswith("refused")
