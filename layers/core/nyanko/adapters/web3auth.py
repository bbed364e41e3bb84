"""Web3Auth's identity tokens.

Claims and rules: https://docs.metamask.io/embedded-wallets/authentication/id-token. All projects share
Web3Auth's signing keys, so the audience is what makes a token ours, and only the keys and addresses in
`wallets` name a player: any project can fill `userId` and `email` with what it likes.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jose import jws, jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError

from nyanko.adapters.jwks import ALGORITHM, Fetch, Jwks, PinnedKey
from nyanko.errors import BadInput

LEEWAY_SECONDS = 60
MAX_LENGTH = 8192
MAX_EPOCH_SECONDS = 253_402_300_799
"""The end of the year 9999, the last second that a date can be written for."""

COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
APP_KEY = re.compile(r"0[23][0-9a-f]{64}")
ETHEREUM_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for, and until when (epoch seconds UTC).

    `player_id` is the project-scoped secp256k1 public key of a social login, or the Ethereum address of an
    external wallet, in lower case.
    """

    player_id: str
    expires_at: int


class Web3AuthVerifier:
    """Checks tokens for one project.

    `issuers` is a JSON list of `{"issuer": …, "jwks_url": …}` or `{"issuer": …, "pem": …}`: Web3Auth signs
    social logins as `https://api-auth.web3auth.io` and external wallets as `https://authjs.web3auth.io`, each
    with its keys at `/jwks`. `audience` is the project's client id, `now` gives epoch seconds UTC. Raises
    `ValueError` for settings that would let strangers in, or nobody.
    """

    def __init__(
        self,
        issuers: str,
        audience: str,
        now: Callable[[], float],
        fetch: Fetch | None = None,
    ) -> None:
        if not audience:
            raise ValueError("the Web3Auth client id is empty")
        self._audience = audience
        self._now = now
        self._issuers = dict(_issuer(entry, now, fetch) for entry in json.loads(issuers))
        if not self._issuers:
            raise ValueError("no Web3Auth issuer is configured")

    def verify_authorization(self, header: object) -> Identity:
        """Who sent this `Authorization: Bearer …` header; raises `BadInput` like `verify`."""
        scheme, _, token = header.partition(" ") if isinstance(header, str) else ("", "", "")
        if scheme.lower() != "bearer":
            raise _invalid("the Authorization header holds no bearer token")
        return self.verify(token)

    def verify(self, token: str) -> Identity:
        """Who a token speaks for.

        Raises `BadInput` (`InvalidToken`) whatever is wrong with it and however malformed it is; the message
        says what, and holds nothing of the token.
        """
        header, claims = _unverified(token)
        key = self._key(header, claims)
        try:
            jws.verify(token, key, [ALGORITHM])
        except JOSEError:
            raise _invalid("the signature does not match") from None
        self._check_claims(claims)
        return Identity(_player_id(claims.get("wallets")), int(claims["exp"]))

    def _key(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> Key:
        """The key that the token must be signed with."""
        # No extension is understood, and RFC 7515 section 4.1.11 demands refusal then.
        if header.get("alg") != ALGORITHM or "crit" in header:
            raise _invalid(f"the token is not signed with plain {ALGORITHM}")
        kid, issuer = header.get("kid"), claims.get("iss")
        if not isinstance(kid, str) and "kid" in header:
            raise _invalid("the kid is not a text")
        keys = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise _invalid("the issuer is not Web3Auth")
        key = keys.key(kid)
        if key is None:
            raise _invalid("the issuer has no such key, or its keys could not be fetched")
        return key

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        now = self._now()
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _invalid("the token is for another project")
        if _time(claims, "exp") <= now:
            raise _invalid("the token has expired")
        if _time(claims, "iat") > now + LEEWAY_SECONDS:
            raise _invalid("the token was issued in the future")
        if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY_SECONDS:
            raise _invalid("the token is not valid yet")


def _issuer(
    entry: Mapping[str, str], now: Callable[[], float], fetch: Fetch | None
) -> tuple[str, Jwks | PinnedKey]:
    match entry:
        case {"issuer": issuer, "jwks_url": url, **others} if not others:
            return issuer, Jwks(url, now, fetch)
        case {"issuer": issuer, "pem": pem, **others} if not others:
            return issuer, PinnedKey(pem)
    raise ValueError("a Web3Auth issuer is an issuer with either a jwks_url or a pem")


def _unverified(token: object) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the header and the claims say, of a token that anybody may have written."""
    # python-jose takes a token of any length, and passes over what is no base64url within a segment.
    if not isinstance(token, str) or len(token) > MAX_LENGTH or not COMPACT_JWS.fullmatch(token):
        raise _invalid(f"the token is no compact JWS of at most {MAX_LENGTH} characters")
    try:
        # The rest of the token would be decoded for its header once more.
        return jwt.get_unverified_header(f"{token.partition('.')[0]}.."), jwt.get_unverified_claims(token)
    # It has errors of its own for most of what can be wrong, but not for all: nesting is one example.
    except (JOSEError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _invalid("the token's header and claims are not JSON objects") from None


def _time(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate of RFC 7519, in epoch seconds UTC."""
    value: Any = claims.get(name)
    # No NaN and no Infinity, which json accepts, passes this; and integers beyond any float can be compared.
    if type(value) in (int, float) and 0 <= value <= MAX_EPOCH_SECONDS:
        return float(value)
    raise _invalid(f"{name} is not a time")


def _player_id(wallets: object) -> str:
    """The one app key, or the one Ethereum address, among a token's wallets."""
    entries = [entry for entry in wallets if isinstance(entry, dict)] if isinstance(wallets, list) else []
    keys = [
        _lower(entry.get("public_key"))
        for entry in entries
        if entry.get("type") == "web3auth_app_key" and entry.get("curve") == "secp256k1"
    ]
    addresses = [_lower(entry.get("address")) for entry in entries if entry.get("type") == "ethereum"]
    found, shape = (keys, APP_KEY) if keys else (addresses, ETHEREUM_ADDRESS)
    if len(found) != 1 or not shape.fullmatch(found[0]):
        raise _invalid("the wallets do not name one player")
    return found[0]


def _lower(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


def _invalid(reason: str) -> BadInput:
    return BadInput("InvalidToken", reason)
