"""The lab's secret: 32 random bytes that the confirmation seeds derive from, readable by their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from novum.core.model.errors import UserError
from novum.ledger.private import created

NAME = "lab.secret"


def load_secret(directory: Path, *, create: bool = True) -> bytes:
    """The secret of a lab, made on first use (mode 0600). Copy the file to repeat a campaign seed for seed.

    `create=False` for a campaign that exists: a new secret could not continue it. Raises UserError.
    """
    path = directory / NAME
    if not create and not path.exists():
        raise UserError(f"{path} is missing, and the campaign cannot go on without it: restore it from a copy")
    created(path, f"{os.urandom(32).hex()}\n".encode())
    return _read(path)


def known_secret(directory: Path) -> bytes | None:
    """The secret of a lab if this process may read it, else None."""
    try:
        return _read(directory / NAME)
    except UserError:
        return None


def _read(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a secret of 64 hexadecimal digits: {error}") from error
    if len(secret) != 32:
        raise UserError(f"{path} holds {len(secret)} bytes, expected 32 in hexadecimal")
    return secret
