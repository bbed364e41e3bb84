"""The keys an issuer signs with: fetched as a JSON Web Key Set (RFC 7517), or pinned as PEM."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jose import jwk
from jose.backends.base import Key
from jose.exceptions import JOSEError

if TYPE_CHECKING:
    from nyanko.adapters.http_request import Answer

ALGORITHM = "ES256"
# Of one attempt; with its retry a fetch leaves the authorizer's ten seconds to Join&make.
TIMEOUT_SECONDS = 1.5
MAX_AGE_SECONDS = 3600
MIN_REFETCH_SECONDS = 60

Fetch = Callable[[str, str, float], "Answer"]
"""Method, URL and timeout in seconds, as `http_request.send` takes them."""


class Jwks:
    """The ES256 keys behind a URL, fetched on first use and kept for an hour.

    A `kid` that is not among them may be a rotation, so it causes a fetch too; but there is at least a minute
    between two fetches, or invented kids would turn every caller into load on the issuer. A fetch that fails,
    or brings no usable key, leaves the keys as they were.
    """

    def __init__(self, url: str, now: Callable[[], float], fetch: Fetch | None = None) -> None:
        self._url = url
        self._now = now
        self._fetch = fetch
        self._keys: list[tuple[object, Key]] = []
        self._fetched_at = self._tried_at = float("-inf")

    def key(self, kid: str | None) -> Key | None:
        """The key of that id, or None; a token that names no key gets the only one, if there is only one."""
        now = self._now()
        found = self._select(kid)
        too_old = now - self._fetched_at >= MAX_AGE_SECONDS
        may_fetch = now - self._tried_at >= MIN_REFETCH_SECONDS
        if (found is None or too_old) and may_fetch:
            self._refresh(now)
            found = self._select(kid)
        return found

    def _select(self, kid: str | None) -> Key | None:
        candidates = [key for known, key in self._keys if kid is None or known == kid]
        return candidates[0] if len(candidates) == 1 else None

    def _refresh(self, now: float) -> None:
        # urllib3 takes about as long to import as python-jose, and many a bad token is refused without keys.
        from nyanko.adapters.http_request import Unreachable, send

        self._tried_at = now
        try:
            answer = (self._fetch or send)("GET", self._url, TIMEOUT_SECONDS)
            entries = json.loads(answer.body)["keys"] if answer.status == 200 else []
            keys = [(entry.get("kid"), key) for entry in entries if (key := es256_key(entry))]
        except (Unreachable, ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return
        if keys:
            self._keys, self._fetched_at = keys, now


class PinnedKey:
    """The one key of an issuer, known beforehand, whatever kid its tokens name: no network is needed.

    Web3Auth's Dashboard shows it with its line breaks written as backslash and n
    (https://docs.metamask.io/embedded-wallets/authentication/id-token). Raises `ValueError` if `pem` is no
    P-256 key.
    """

    def __init__(self, pem: str) -> None:
        try:
            key = es256_key(jwk.construct(pem.replace("\\n", "\n"), ALGORITHM).to_dict())
        except (JOSEError, AttributeError, LookupError) as error:
            raise ValueError("the pinned key is no EC key in PEM") from error
        if key is None:
            raise ValueError("the pinned key is not on the curve P-256")
        self._key = key

    def key(self, kid: str | None) -> Key:  # noqa: ARG002 the same question as Jwks answers
        return self._key


def es256_key(entry: Mapping[str, Any]) -> Key | None:
    """The public key in an entry of a JWKS, or None if ES256 cannot use it.

    python-jose would try an entry of any type and fail on it, so that a set with an RSA key before the right
    one refuses every token.
    """
    signs = entry.get("use", "sig") == "sig" and entry.get("alg", ALGORITHM) == ALGORITHM
    if not signs or entry.get("kty") != "EC" or entry.get("crv") != "P-256":
        return None
    try:
        return jwk.construct({name: entry[name] for name in ("kty", "crv", "x", "y")}, ALGORITHM)
    except (JOSEError, ValueError, LookupError, TypeError, AttributeError):
        return None
