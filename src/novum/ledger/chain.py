"""The hash chain: each event's hash covers the event and the hash before it.

What it proves: no event was changed, dropped, inserted or moved without every later hash changing. What it does not
prove: that the whole chain was not rewritten by its owner; that takes a head published elsewhere in time.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from novum.text.canonical_json import canonical

GENESIS = "0" * 64


def link(previous: str, seq: int, time: int, actor: str, kind: str, payload: str) -> str:
    """SHA-256 (hexadecimal) of the previous hash and the canonical JSON of the event's header, then its payload."""
    # The same bytes as canonical([previous, seq, time, actor, kind]): of these only actor and kind could need escapes.
    header = f'["{previous}",{seq},{time},{_quoted(actor)},{_quoted(kind)}]\n'
    return hashlib.sha256(header.encode() + payload.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return canonical(text).decode()
