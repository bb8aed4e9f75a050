"""Random streams by seed and name: equal arguments give equal numbers on every machine, different ones independent."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator that belongs to (seed, name): Philox (Salmon et al., SC 2011) keyed by a hash of both."""
    word = hashlib.blake2b(f"novum.population/{seed}/{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(word, dtype="<u8")))
