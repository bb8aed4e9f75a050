"""Names that are derived from content, and canonical JSON (RFC 8785) behind them."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """UTF-8 bytes of `value` in canonical JSON (RFC 8785). NaN and infinities raise ValueError."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"not representable in canonical JSON: {error}") from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short(value: Any, length: int = 12) -> str:
    """The first `length` hexadecimal digits of :func:`digest`: a readable content address."""
    return digest(value)[:length]
