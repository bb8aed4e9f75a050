"""What lets a machine join a lab, and lets it know that lab: a certificate, its fingerprint and a secret.

The lab makes a certificate for itself and a secret, both kept in its directory. The token holds the fingerprint of the
one and the other: a machine talks to nobody whose certificate is another, so that nobody can stand between; the lab
listens to nobody who does not say the secret. Whoever has the token may run trials, and learns what trials are given.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import re
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path

from novum.core.model.errors import UserError

CERTIFICATE, SECRET = "workers.pem", "workers.secret"
_TOKEN = re.compile(r"novum-([0-9a-f]{64})-([A-Za-z0-9_-]{20,100})")
_YEARS = 20


@dataclass(frozen=True, slots=True)
class Token:
    """fingerprint: SHA-256 of the lab's certificate in hexadecimal. secret: what the lab asks for."""

    fingerprint: str
    secret: str

    def __str__(self) -> str:
        return f"novum-{self.fingerprint}-{self.secret}"

    def __repr__(self) -> str:
        return f"Token({self.fingerprint[:8]}...)"

    def admits(self, said: object) -> bool:
        """Whether somebody has said the secret, compared in constant time."""
        return isinstance(said, str) and hmac.compare_digest(said.encode(), self.secret.encode())


def parse_token(text: str, where: str) -> Token:
    """The token that `where` holds. Raises UserError."""
    if found := _TOKEN.fullmatch(text.strip()):
        return Token(found[1], found[2])
    raise UserError(f"{where} holds no token: `novum machines --lab LAB --token` prints one on the lab's machine")


@dataclass(frozen=True)
class LabCredentials:
    """The lab's side, in its directory."""

    directory: Path

    @property
    def token(self) -> Token:
        """What machines join with; made, with the certificate, when it is first asked for."""
        certificate = self._certificate()
        secret = self.directory / SECRET
        if not secret.exists():
            self.renew()
        public = certificate.read_text().partition("-----BEGIN PRIVATE")[0]
        return Token(fingerprint(ssl.PEM_cert_to_DER_cert(public.strip())), secret.read_text().strip())

    def write_token(self, path: Path) -> None:
        """The token in a file that only its owner may read. Raises OSError."""
        _write(path, str(self.token).encode())

    def renew(self) -> None:
        """Another secret from now on: nobody joins with the former token any more."""
        _write(self.directory / SECRET, secrets.token_urlsafe(32).encode())

    def context(self) -> ssl.SSLContext:
        """How the lab listens."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self._certificate())
        return context

    def _certificate(self) -> Path:
        path = self.directory / CERTIFICATE
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            _write(path, _self_signed())
        return path


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (DER)."""
    return hashlib.sha256(certificate).hexdigest()


def machine_context() -> ssl.SSLContext:
    """How a machine connects: whose certificate it is, is told by the fingerprint, not by a name or an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _self_signed() -> bytes:
    """A certificate and its key (ECDSA over P-256), PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "novum lab")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM) + private


def _write(path: Path, content: bytes) -> None:
    """A file that only its owner may read, whole or not at all."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    made.replace(path)
