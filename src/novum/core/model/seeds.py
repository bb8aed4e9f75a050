"""Seeds that nobody can choose and everybody can check.

Each purpose has a key derived from the lab's secret; its SHA-256 is recorded before the first trial, seed i is
HMAC-SHA256(key, i) cut to 48 bits (exact in JSON), and the key is revealed when the hypothesis closes.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cache

SEED_BYTES = 6


def seed(key: bytes, index: int) -> int:
    """Seed number `index` of a key: an integer in [0, 2^48)."""
    return int.from_bytes(hmac.digest(key, str(index).encode(), "sha256")[:SEED_BYTES], "big")


def commitment(key: bytes) -> str:
    """What is published about a key before it is used: its SHA-256 in hexadecimal."""
    return hashlib.sha256(key).hexdigest()


@dataclass(frozen=True)
class Keyring:
    """Keys by label. The secret stays out of the ledger, of every view and of every representation."""

    secret: bytes = field(repr=False)

    def key(self, label: str) -> bytes:
        """The 32-byte key of a label such as ``confirm:h7:1``."""
        return hmac.new(self.secret, label.encode(), hashlib.sha256).digest()


@cache
def search_key(study_seed: int) -> bytes:
    """The key of the search seeds: public, the same for every candidate of a study, and never evidence."""
    return hashlib.sha256(f"search:{study_seed}".encode()).digest()
