"""The trusted score: the share of heads among the flips that were delivered."""

from __future__ import annotations

from novum.core.errors import ArtefactError


def share_of_heads(artefact: bytes, flips: int) -> float:
    """Heads / flips in [0, 1]. Raises ArtefactError unless there are exactly `flips` flips."""
    bits = int.from_bytes(artefact, "little")
    if len(artefact) != (flips + 7) // 8 or bits >> flips:
        raise ArtefactError(f"expected {flips} flips in {(flips + 7) // 8} bytes, got {len(artefact)} bytes")
    return bits.bit_count() / flips
