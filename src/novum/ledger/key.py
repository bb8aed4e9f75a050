"""The lab's key: Ed25519 (RFC 8032), made on first use and readable by its owner alone, and what it signs.

Everything is signed in the pre-authentication encoding of DSSE 1.0, which binds the type of what is signed: a signature
over one kind of document is never one over another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from novum.core.model.errors import UserError
from novum.ledger.private import created

NAME = "lab.key"
GROUP = 4


@dataclass(frozen=True)
class LabKey:
    """The private key. It stays out of the ledger, of every pack and of every representation."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """The public key: 32 bytes in hexadecimal."""
        return self.private.public_key().public_bytes_raw().hex()

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """The signature (64 bytes) over a payload and its type."""
        return self.private.sign(pae(payload_type, payload))


def pae(payload_type: str, payload: bytes) -> bytes:
    """What DSSE signs (github.com/secure-systems-lab/dsse, protocol.md): lengths count bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def fits(public: str, payload_type: str, payload: bytes, signature: bytes) -> bool:
    """Whether a signature over a payload and its type is one of the key's. Nonsense fits nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, pae(payload_type, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_pem(public: str) -> bytes:
    """A public key as other tools read it: SubjectPublicKeyInfo in PEM. Raises ValueError."""
    return _public(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(public: str) -> str:
    """SHA-256 (hexadecimal) of the SubjectPublicKeyInfo in DER. Raises ValueError."""
    der = _public(public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def fingerprint(public: str) -> str:
    """The first 16 digits of the key's id in groups of four, to be compared by eye. Raises ValueError."""
    start = key_id(public)[: 4 * GROUP]
    return " ".join(start[place : place + GROUP] for place in range(0, len(start), GROUP))


def load_key(directory: Path, *, create: bool = True) -> LabKey:
    """The key of a lab, made on first use (PKCS #8 in PEM, mode 0600).

    `create=False` for a record that is signed already: another key could not go on with it.
    Raises StorageError, UserError.
    """
    path = directory / NAME
    if not create and not path.exists():
        raise UserError(f"{path} is missing, and only the key that signed the record can go on: restore it from a copy")
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return LabKey(private) if created(path, text) else _read(path)


def public_of(directory: Path) -> str:
    """The public half of the key that lies in a lab, or nothing where there is none to be read."""
    try:
        return _read(directory / NAME).public
    except UserError:
        return ""


def _read(path: Path) -> LabKey:
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be read as a private key in PEM: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UserError(f"{path} holds another kind of key than Ed25519")
    return LabKey(private)


def _public(public: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
