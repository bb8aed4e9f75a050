"""The trusted score: the share of heads among the flips that were delivered, and how often they change."""

from __future__ import annotations

from novum.core.model.trial import ArtefactError


def share_of_heads(artefact: bytes, flips: int) -> float:
    """Heads / flips in [0, 1]. Raises ArtefactError unless there are exactly `flips` flips."""
    bits = int.from_bytes(artefact, "little")
    if len(artefact) != (flips + 7) // 8 or bits >> flips:
        raise ArtefactError(f"expected {flips} flips in {(flips + 7) // 8} bytes, got {len(artefact)} bytes")
    return bits.bit_count() / flips


def share_of_changes(artefact: bytes, flips: int) -> float:
    """Share of neighbouring flips that differ, in [0, 1]; 2p(1 - p) in expectation, 0 for a single flip."""
    bits = int.from_bytes(artefact, "little")
    changes = (bits ^ (bits >> 1)) & ((1 << (flips - 1)) - 1)
    return changes.bit_count() / max(1, flips - 1)
