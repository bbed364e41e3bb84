"""Identity tokens as Web3Auth documents them, for players who exist only on this machine.

Claims: https://docs.metamask.io/embedded-wallets/authentication/id-token. Neither the JOSE header nor the
JWKS is documented there; both are assumed to carry a `kid`.
"""

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk, jwt

LIFETIME_SECONDS = 24 * 3600


class Issuer:
    """One `iss` with a signing key made at start, so every restart is a key rotation."""

    def __init__(self, url: str, client_id: str) -> None:
        self.url = url
        self._client_id = client_id
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._key = jwk.construct(pem, "ES256")
        self._kid = secrets.token_urlsafe(16)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self._key.public_key().to_dict(), "use": "sig", "kid": self._kid}]}

    def token(self, claims: dict[str, Any], now: int, expires_in: int = LIFETIME_SECONDS) -> str:
        """An ES256 token with these claims and the registered ones; times are epoch seconds UTC."""
        registered = {
            "iat": now,
            "aud": self._client_id,
            "nonce": secrets.token_hex(32),
            "iss": self.url,
            "exp": now + expires_in,
        }
        return jwt.encode(registered | claims, self._key, "ES256", headers={"kid": self._kid})


def app_key(name: str) -> str:
    """A name's project-scoped secp256k1 public key, always the same: compressed, 66 hexadecimal digits."""
    key = ec.derive_private_key(int.from_bytes(_digest("app_key", name)[:31]) + 1, ec.SECP256K1())
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()


def wallet_address(name: str) -> str:
    """The Ethereum address of a name's wallet; in capitals, because the case of an address means nothing."""
    return "0x" + _digest("wallet", name)[:20].hex().upper()


def social_claims(name: str) -> dict[str, Any]:
    """What a token of a social login says about its player."""
    email = f"{name}@example.com"
    return {
        "wallets": [
            {
                "public_key": _digest("ed25519", name).hex(),
                "type": "web3auth_app_key",
                "curve": "ed25519",
            },
            {"public_key": app_key(name), "type": "web3auth_app_key", "curve": "secp256k1"},
        ],
        "email": email,
        "name": name,
        "authConnection": "web3auth",
        "userId": email,
        "groupedAuthConnectionId": "web3auth-google-sapphire-devnet",
    }


def wallet_claims(name: str) -> dict[str, Any]:
    """What a token of an external wallet says about its player."""
    return {"wallets": [{"type": "ethereum", "address": wallet_address(name)}]}


def _digest(purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{name}".encode()).digest()
