"""Tokens in the shape of Web3Auth's, good and bad, signed without the library that checks them."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from nyanko.adapters.http_request import Answer, Unreachable

NOW = 1_800_000_000
CLIENT_ID = "BPi5PB_UiIZ-cPz1GtV5i1I2iOSOHuimiXBI0e-Oe_u6X3oVAbCiAZOTEBtTXw4tsluTITPqA8zMsfxIKMjiqNQ"
SOCIAL, EXTERNAL = "https://api-auth.web3auth.io", "https://authjs.web3auth.io"
SOCIAL_JWKS, EXTERNAL_JWKS = f"{SOCIAL}/jwks", f"{EXTERNAL}/jwks"
ISSUERS = json.dumps(
    [{"issuer": SOCIAL, "jwks_url": SOCIAL_JWKS}, {"issuer": EXTERNAL, "jwks_url": EXTERNAL_JWKS}]
)

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
EXTERNAL_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())

HEADER = {"alg": "ES256", "typ": "JWT", "kid": "social-1"}
APP_KEY = "02" + "ab" * 32
WALLETS = [
    {"public_key": "57" * 32, "type": "web3auth_app_key", "curve": "ed25519"},
    {"public_key": APP_KEY, "type": "web3auth_app_key", "curve": "secp256k1"},
]
CLAIMS = {
    "iat": NOW - 100,
    "aud": CLIENT_ID,
    "nonce": "03" * 16,
    "iss": SOCIAL,
    "wallets": WALLETS,
    "email": "mike@example.com",
    "name": "Mike Nyanko",
    "authConnection": "web3auth",
    "userId": "mike@example.com",
    "exp": NOW - 100 + 86_400,
}
ADDRESS = "0x" + "aB" * 20
EXTERNAL_HEADER = HEADER | {"kid": "external-1"}
EXTERNAL_CLAIMS = {
    "iat": NOW - 100,
    "aud": CLIENT_ID,
    "iss": EXTERNAL,
    "wallets": [{"type": "ethereum", "address": ADDRESS}],
    "exp": NOW - 100 + 86_400,
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def es256(signed: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    size = (key.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(size) + s.to_bytes(size)


def token(
    header: Any = None, claims: Any = None, key: ec.EllipticCurvePrivateKey = KEY, *, raw: bool = False
) -> str:
    """A signed token of these; `raw` takes header and claims as bytes instead of as values."""
    header, claims = HEADER if header is None else header, CLAIMS if claims is None else claims
    head, body = (b64(part if raw else json.dumps(part).encode()) for part in (header, claims))
    return f"{head}.{body}.{b64(es256(f'{head}.{body}'.encode(), key))}"


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def public_jwk(key: ec.EllipticCurvePrivateKey, **extra: str) -> dict[str, str]:
    numbers, size = key.public_key().public_numbers(), (key.key_size + 7) // 8
    return {
        "kty": "EC",
        "crv": {256: "P-256", 384: "P-384"}[key.key_size],
        "x": b64(numbers.x.to_bytes(size)),
        "y": b64(numbers.y.to_bytes(size)),
        **extra,
    }


RSA_JWK = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rsa-1", "n": b64(b"\xb7" * 256), "e": "AQAB"}
OKP_JWK = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "okp-1", "x": b64(b"\x11" * 32)}
P384_JWK = public_jwk(P384_KEY, kid="p384-1")
OFF_CURVE_JWK = public_jwk(KEY, kid="off-curve-1") | {"x": b64(b"\x01" * 32)}
SOCIAL_KEYS = [
    RSA_JWK,
    OKP_JWK,
    P384_JWK,
    OFF_CURVE_JWK,
    public_jwk(KEY, kid="social-1", use="sig", alg="ES256"),
    public_jwk(OTHER_KEY, kid="social-2"),
    public_jwk(OTHER_KEY, kid="encrypts-1", use="enc"),
]
EXTERNAL_KEYS = [public_jwk(EXTERNAL_KEY, kid="external-1")]


class JwksHost:
    """Serves key sets by URL, keeps count, and fails when told to."""

    def __init__(self, **keys: Any) -> None:
        self.keys = {SOCIAL_JWKS: SOCIAL_KEYS, EXTERNAL_JWKS: EXTERNAL_KEYS} | keys
        self.status = 200
        self.body: bytes | None = None
        self.down = False
        self.fetched: list[str] = []

    def fetch(self, method: str, url: str, timeout_seconds: float) -> Answer:
        assert (method, timeout_seconds) == ("GET", 3)
        self.fetched.append(url)
        if self.down:
            raise Unreachable("down")
        return Answer(self.status, self.body or json.dumps({"keys": self.keys[url]}).encode())


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
