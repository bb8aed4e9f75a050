"""Names that are derived from content, and canonical JSON (RFC 8785) behind them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import rfc8785

_PLAIN = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
_SMALL = re.compile(r'"\\u0000([^"]*)"')
EXACT = 2**53
"""Whole numbers below this are written alike by Python and by ECMAScript."""


class _OddError(Exception):
    """A value that only the reference implementation is trusted with."""


def canonical(value: Any) -> bytes:
    """UTF-8 bytes of `value` in canonical JSON (RFC 8785). NaN and infinities raise ValueError.

    Every event passes here, so what is common (ASCII, numbers of ordinary size) takes the C encoder of the standard
    library, which writes the same bytes; all else takes the reference implementation.
    """
    small: list[float] = []
    try:
        text = _PLAIN.encode(_fit(value, small))
    except _OddError:
        return _reference(value)
    if not text.isascii() or (small and text.count("\\u0000") != len(small)):
        return _reference(value)
    return (_SMALL.sub(r"\1", text) if small else text).encode()


def _reference(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"not representable in canonical JSON: {error}") from error


def _fit(value: Any, small: list[float]) -> Any:
    """`value` with its floats in forms that json writes as ECMAScript does; the smallest become marked strings."""
    kind = type(value)
    if kind is dict:
        return {_key(key): _fit(item, small) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_fit(item, small) for item in value]
    if kind is float:
        return _float(value, small)
    if kind is int:
        if not -EXACT < value < EXACT:
            raise _OddError
        return value
    if kind is str or kind is bool or value is None or isinstance(value, str):
        return value
    raise _OddError


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise _OddError
    return key


def _float(value: float, small: list[float]) -> Any:
    size = abs(value)
    if 1e-4 <= size < EXACT or size == 0.0:
        whole = int(value)
        return whole if whole == value else value
    if not size < 1e-4:  # very large, infinite or NaN
        raise _OddError
    small.append(value)
    return f"\0{ecmascript(value)}"


def ecmascript(value: float) -> str:
    """A float below 1e-4 as ECMAScript writes it: decimals down to 1e-6, then an exponent without padding."""
    mantissa, _, exponent = repr(value).partition("e")
    if abs(value) < 1e-6:
        return f"{mantissa}e{int(exponent)}"
    sign = "-" if value < 0 else ""
    return f"{sign}0.{'0' * (-1 - int(exponent))}{mantissa.removeprefix('-').replace('.', '')}"


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short(value: Any, length: int = 12) -> str:
    """The first `length` hexadecimal digits of :func:`digest`: a readable content address."""
    return digest(value)[:length]
