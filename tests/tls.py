"""A certificate for 127.0.0.1, so that a client pays for its connections what they cost."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

AUTHORITIES = Path(botocore.__file__).with_name("cacert.pem")


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For a server, and a file that makes a client trust it, among the authorities that botocore knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    server, trusted = folder / "server.pem", folder / "trusted.pem"
    server.write_bytes(private + certificate)
    trusted.write_bytes(AUTHORITIES.read_bytes() + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return context, trusted
