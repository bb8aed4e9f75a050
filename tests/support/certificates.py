"""Certificates of an authority that nobody else knows, and TLS servers that show them."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates; `file` is its own one, as a user would trust it."""

    def __init__(self, place: Path) -> None:
        self._place, self._key = place, ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Company Proxy CA")
        self.file = place / "authority.pem"
        own = self._signed(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0), 30)
        self.file.write_bytes(own)

    def server(self, *hosts: str, days: int = 30) -> ssl.SSLContext:
        """What a server needs for these names and addresses. days: until it expires, negative: since it has."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general(host) for host in hosts])
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self._place / f"{hosts[0]}.pem"
        file.write_bytes(text + self._signed(_named(hosts[0]), key.public_key(), names, days))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, more: x509.ExtensionType, days: int) -> bytes:
        """A certificate with what strict verification expects of it."""
        now, own = datetime.now(UTC), subject == self._name
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
        uses = {name: name == ("key_cert_sign" if own else "digital_signature") for name in names}
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=days))
        for extension, critical in (
            (more, own),
            (x509.KeyUsage(**uses), True),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (issuer, False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
