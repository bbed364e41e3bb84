"""Web3Auth's identity tokens.

Claims and rules: https://docs.metamask.io/embedded-wallets/authentication/id-token. All projects share
Web3Auth's signing keys, so the audience is what makes a token ours, and only the keys and addresses in
`wallets` name a player: any project can fill `userId` and `email` with what it likes.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jose.backends.base import Key

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
        signed, signature = _divide(token)
        header, claims = (_json_object(segment) for segment in signed.split("."))
        # python-jose's jws would decode and read both of them again; only the key's own check is left to do.
        if not self._key(header, claims).verify(signed.encode(), _bytes(signature)):
            raise _invalid("the signature does not match")
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


def _divide(token: object) -> tuple[str, str]:
    """What is signed, which is the header and the claims, and the signature, as they stand in the token."""
    if not isinstance(token, str) or len(token) > MAX_LENGTH or not COMPACT_JWS.fullmatch(token):
        raise _invalid(f"the token is no compact JWS of at most {MAX_LENGTH} characters")
    signed, _, signature = token.rpartition(".")
    return signed, signature


def _json_object(segment: str) -> dict[str, Any]:
    try:
        # Bytes would let json guess UTF-16 and UTF-32, which no JWT is written in.
        found = json.loads(_bytes(segment).decode())
    except (ValueError, RecursionError):
        raise _invalid("the token is not JSON") from None
    if not isinstance(found, dict):
        raise _invalid("the token's header and claims are not objects")
    return found


def _bytes(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise _invalid("the token is not base64url") from None


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
