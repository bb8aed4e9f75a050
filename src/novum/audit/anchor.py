"""Anchors: a short root of a record, to be published where its owner cannot change it later.

A root names an event and 110 bits of its hash, with a checksum against misreading. Who changes the record afterwards
would have to find another history with the same 110 bits. Against an owner who prepared two histories before
publishing (a collision, about 2^55 hashes) it is too short: publish the whole hash then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from novum.core.model.errors import UserError
from novum.ledger.chain import GENESIS, link

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without the letters that are taken for others (Crockford)."""

HASHED, CHECKED, GROUP = 22, 2, 4
"""Digits (5 bits each) of the hash and of the checksum, and how many are written together."""

_MISREAD = str.maketrans("OIL", "011")
_EXAMPLE = "1487-4Q0Z-7CK9-…"


@dataclass(frozen=True, slots=True)
class Root:
    """What an anchor says of event `seq`: the first digits of its hash, base 32."""

    seq: int
    digits: str

    def __str__(self) -> str:
        text = self.digits + _checksum(self.seq, self.digits)
        return "-".join([str(self.seq), *(text[place : place + GROUP] for place in range(0, len(text), GROUP))])

    def fits(self, head: str) -> bool:
        """Whether `head` can be the hash that was anchored."""
        return root(self.seq, head).digits == self.digits


@dataclass(frozen=True, slots=True)
class Containment:
    """Whether a record still contains an anchored history, and in words why or why not."""

    ok: bool
    words: str
    seq: int
    head: str
    """Of that event now."""


def root(seq: int, head: str) -> Root:
    """The root of a record whose event `seq` has the hash `head` (hexadecimal)."""
    return Root(seq, _base32(bytes.fromhex(head), HASHED))


def parse(text: str) -> Root:
    """The root that somebody typed; case, hyphens and O for 0 do not matter. Raises UserError."""
    number, _, rest = text.strip().partition("-")
    digits = rest.upper().translate(_MISREAD).replace("-", "").replace(" ", "")
    well_formed = number.isascii() and number.isdigit() and len(number) <= 15 and set(digits) <= set(ALPHABET)
    if not well_formed or len(digits) != HASHED + CHECKED:
        raise UserError(f"cannot read {text[:80]!r} as an anchor, such as `novum anchor` prints it: {_EXAMPLE}")
    found = Root(int(number), digits[:HASHED])
    if _checksum(found.seq, found.digits) != digits[HASHED:]:
        raise UserError(f"the anchor {text[:80]!r} is misread somewhere: its last two digits do not fit the others")
    return found


def contains(rows: Iterable[tuple[int, int, str, str, str, str]], anchored: Root) -> Containment:
    """Whether the rows of a ledger (seq, time, actor, kind, payload, hash) contain the anchored history.

    The hashes are computed anew up to the anchored event; what stands in the rows is not believed.
    """
    head, last = GENESIS, 0
    for seq, time, actor, kind, payload, _ in rows:
        last += 1
        if seq != last:
            return Containment(False, f"event {last} is missing", last, head)
        try:
            head = link(head, seq, time, actor, kind, payload)
        except (ValueError, TypeError) as error:
            return Containment(False, f"event {seq} is no event: {error}", seq, head)
        if seq == anchored.seq:
            if anchored.fits(head):
                return Containment(True, f"events 1 to {seq} are the ones that were anchored", seq, head)
            return Containment(False, f"events 1 to {seq} are not the ones that were anchored", seq, head)
    words = f"the record ends at event {last}, and event {anchored.seq} was anchored: its end is missing"
    return Containment(False, words, last, head)


def _checksum(seq: int, digits: str) -> str:
    return _base32(hashlib.sha256(f"{seq}-{digits}".encode()).digest(), CHECKED)


def _base32(data: bytes, count: int) -> str:
    value = int.from_bytes(data, "big") >> (8 * len(data) - 5 * count)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(count)))
