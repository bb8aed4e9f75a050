"""Canonical JSON: the fast way writes the bytes of the reference implementation, or leaves them to it."""

from __future__ import annotations

import struct
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.ledger.codec import plain
from novum.text.canonical_json import canonical
from novum.text.canonical_text import canonical_text

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.floats(min_value=-1e-4, max_value=1e-4, allow_nan=False)
INTS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text() | st.text('\0\x1f\x7f"\\/\b\f\n\r\té\ue000😀a1', max_size=8)
LEAVES = st.none() | st.booleans() | INTS | FLOATS | SMALL | TEXT
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(JSON)
def test_both_ways_write_the_same_bytes(value):
    assert canonical(value) == rfc8785.dumps(value) == canonical_text(value).encode()


@settings(max_examples=1000, deadline=None)
@given(st.binary(min_size=8, max_size=8))
def test_every_finite_double_is_written_as_the_reference_does(raw):
    (number,) = struct.unpack("<d", raw)
    if number - number == 0:
        honest = rfc8785.dumps([number, {"x": number}])
        assert canonical([number, {"x": number}]) == honest == canonical_text([number, {"x": number}]).encode()


@pytest.mark.parametrize(
    ("number", "text"),
    [(1e-7, "1e-7"), (4.2e-5, "0.000042"), (1e-6, "0.000001"), (-0.0, "0"), (1e21, "1e+21"), (5e-324, "5e-324"),
     (1.0, "1"), (123456789012345680000.0, "123456789012345680000"), (9007199254740993.0, "9007199254740992")],
)  # fmt: skip
def test_numbers_of_the_specification(number, text):
    assert canonical(number).decode() == text == canonical_text(number)


def test_a_string_that_looks_like_a_small_number_stays_a_string():
    assert canonical(["\0" + "1e-7", 1e-7]) == rfc8785.dumps(["\0" + "1e-7", 1e-7])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, "\ud800", object()])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match="canonical JSON"):
        canonical({"a": [value]} if not isinstance(value, dict) else value)
    if not isinstance(value, dict):
        with pytest.raises(ValueError, match="canonical JSON"):
            canonical_text({"a": [value]})


class Word(str):
    __slots__ = ()


class Rank(StrEnum):
    FIRST = "first"


@dataclass(frozen=True)
class Inner:
    only: object


@dataclass(frozen=True)
class Outer:
    b: object
    a: Inner
    é: object = 1
    _: int = 0


@given(JSON)
def test_dataclasses_enums_and_subclasses_are_written_as_their_plain_values(value):
    made = Outer((Word("x"), Rank.FIRST, True, OrderedDict({"z": value, "a": 1})), Inner(value))
    honest = {"b": ["x", "first", True, {"z": value, "a": 1}], "a": {"only": value}, "é": 1, "_": 0}
    assert canonical_text(made).encode() == canonical(honest) == canonical(plain(made))
