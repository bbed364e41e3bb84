"""Tokens in the shape of Web3Auth's, good and bad, signed without the library that checks them."""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nyanko.adapters.http_request import Answer, Unreachable
from nyanko.adapters.web3auth import MAX_LENGTH

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
        assert (method, timeout_seconds) == ("GET", 1.5)
        self.fetched.append(url)
        if self.down:
            raise Unreachable("down")
        return Answer(self.status, self.body or json.dumps({"keys": self.keys[url]}).encode())


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
GOOD = token()


def claiming(**changed: Any) -> str:
    return token(claims=CLAIMS | changed)


def headed(**changed: Any) -> str:
    return token(HEADER | changed)


def hs256(secret: bytes) -> str:
    signed = token(HEADER | {"alg": "HS256"}).rpartition(".")[0]
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def resigned(signature: bytes) -> str:
    return f"{GOOD.rpartition('.')[0]}.{b64(signature)}"


def spliced(**changed: Any) -> str:
    """The good token's signature under other claims."""
    head, _, signature = GOOD.split(".")
    return f"{head}.{b64(json.dumps(CLAIMS | changed).encode())}.{signature}"


def wallet(**changed: Any) -> str:
    return claiming(wallets=[WALLETS[0], WALLETS[1] | changed])


def raw_claims(text: str) -> str:
    return token(json.dumps(HEADER).encode(), text.encode(), raw=True)


def with_claim(name: str, literal: str) -> str:
    """The good claims with one in a spelling of JSON that only a text can have, such as 1e999."""
    return raw_claims(json.dumps(CLAIMS | {name: "@"}).replace('"@"', literal))


NESTED = b"[" * 2_800 + b"]" * 2_800

BAD_TOKENS: dict[str, Any] = {
    "not a text": None,
    "bytes": GOOD.encode(),
    "empty": "",
    "two segments": GOOD.rpartition(".")[0],
    "four segments": f"{GOOD}.e30",
    "an empty signature": f"{GOOD.rpartition('.')[0]}.",
    "a space before it": f" {GOOD}",
    "a line break after it": f"{GOOD}\n",
    "a lone surrogate": f"{GOOD}\ud800",
    "a cat": "🐈.🐈.🐈",
    "padding": f"{GOOD}==",
    "the alphabet of plain base64": GOOD[:-1] + "+",
    "half a byte": f"{GOOD}AAA",
    "huge": claiming(name="x" * MAX_LENGTH),
    "a header that is no JSON": token(b"{", json.dumps(CLAIMS).encode(), raw=True),
    "a header that is a list": token([HEADER]),
    "claims in UTF-16": token(json.dumps(HEADER).encode(), json.dumps(CLAIMS).encode("utf-16"), raw=True),
    "deeply nested claims": token(json.dumps(HEADER).encode(), NESTED, raw=True),
    "claims that are null": raw_claims("null"),
    "claims with broken UTF-8": token(json.dumps(HEADER).encode(), b'{"iss": "\xff"}', raw=True),
    "alg none, signed": headed(alg="none"),
    "alg none, unsigned": "eyJhbGciOiJub25lIn0." + GOOD.split(".")[1] + ".",
    "alg missing": token(without(HEADER, "alg")),
    "alg as a list": headed(alg=["ES256"]),
    "alg in small letters": headed(alg="es256"),
    "alg ES384": headed(alg="ES384"),
    "HS256 with the public key in PEM": hs256(PEM),
    "HS256 with the public key in DER": hs256(
        KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "crit": headed(crit=["exp"]),
    "crit that is empty": headed(crit=[]),
    "kid unknown": headed(kid="social-9"),
    "kid missing while there are two keys": token(without(HEADER, "kid")),
    "kid a number": headed(kid=1),
    "kid of an RSA key": headed(kid="rsa-1"),
    "kid of an OKP key": headed(kid="okp-1"),
    "kid of a key off the curve": headed(kid="off-curve-1"),
    "kid of an encryption key": token(HEADER | {"kid": "encrypts-1"}, key=OTHER_KEY),
    "kid of a P-384 key, signed with it": token(HEADER | {"kid": "p384-1"}, key=P384_KEY),
    "kid of another issuer's key": token(EXTERNAL_HEADER, CLAIMS, EXTERNAL_KEY),
    "signed with another key": token(key=OTHER_KEY),
    "signed with the key in its own header": token(HEADER | {"jwk": public_jwk(P384_KEY)}, key=P384_KEY),
    "signed with the key that its jku points to": token(
        HEADER | {"jku": "https://evil.example"}, key=OTHER_KEY
    ),
    "another signature": resigned(es256(b"something else")),
    "a signature in DER": resigned(b"\x30\x44\x02\x20" + b"\x01" * 32 + b"\x02\x20" + b"\x01" * 32),
    "other claims under the signature": spliced(name="Mallory"),
    "aud of another project": claiming(aud="BAnotherProject"),
    "aud missing": token(claims=without(CLAIMS, "aud")),
    "aud an empty list": claiming(aud=[]),
    "aud a list of others": claiming(aud=["BAnotherProject", None, 1]),
    "aud a list in a list": claiming(aud=[[CLIENT_ID]]),
    "aud a part of ours": claiming(aud=CLIENT_ID[:-1]),
    "iss missing": token(claims=without(CLAIMS, "iss")),
    "iss a list": claiming(iss=[SOCIAL]),
    "iss of somebody else": claiming(iss="https://accounts.example.com"),
    "iss with a slash after it": claiming(iss=f"{SOCIAL}/"),
    "iss of the other issuer": claiming(iss=EXTERNAL),
    "exp missing": token(claims=without(CLAIMS, "exp")),
    "exp in the past": claiming(exp=NOW - 1),
    "exp now": claiming(exp=NOW),
    "exp a text": claiming(exp=str(NOW + 60)),
    "exp true": claiming(exp=True),
    "exp Infinity": with_claim("exp", "Infinity"),
    "exp NaN": with_claim("exp", "NaN"),
    "exp larger than any float": with_claim("exp", "1e999"),
    "exp of five thousand digits": with_claim("exp", "9" * 5_000),
    "exp after the year 9999": claiming(exp=253_402_300_800),
    "iat missing": token(claims=without(CLAIMS, "iat")),
    "iat true": claiming(iat=True),
    "iat in the future": claiming(iat=NOW + 61),
    "iat a text": claiming(iat=str(NOW)),
    "iat Infinity": with_claim("iat", "Infinity"),
    "nbf in the future": claiming(nbf=NOW + 61),
    "nbf null": claiming(nbf=None),
    "wallets missing": token(claims=without(CLAIMS, "wallets")),
    "wallets empty": claiming(wallets=[]),
    "wallets of numbers": claiming(wallets=[1, None, "x", []]),
    "no secp256k1 key": claiming(wallets=WALLETS[:1]),
    "two secp256k1 keys": claiming(wallets=[*WALLETS, WALLETS[1] | {"public_key": "03" + "cd" * 32}]),
    "a key that is a number": wallet(public_key=2),
    "a key that is too long": wallet(public_key=f"{APP_KEY}\n"),
    "a key that is not compressed": wallet(public_key="04" + "ab" * 64),
    "a key that is not hexadecimal": wallet(public_key="02" + "zz" * 32),
    "a key of another type": wallet(type="web3auth_threshold_key"),
    "an address that is none": token(
        EXTERNAL_HEADER,
        EXTERNAL_CLAIMS | {"wallets": [{"type": "ethereum", "address": "0x1"}]},
        EXTERNAL_KEY,
    ),
    "two addresses": token(
        EXTERNAL_HEADER,
        EXTERNAL_CLAIMS | {"wallets": [{"type": "ethereum", "address": "0x" + digit * 40} for digit in "12"]},
        EXTERNAL_KEY,
    ),
}
