"""The worker's side: flip the coin and hand over the flips, not their count."""

from __future__ import annotations

import random
from collections.abc import Sequence

from novum.arenas.coinflip.space import chance, options
from novum.core.model.trial import TrialGroup, TrialOutput


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """One delivery per trial: the flips as bits, first flip in the lowest bit. Coins share no randomness."""
    chosen = options(group.options)
    p = chance(group.candidate.genome, chosen.world)
    flips = max(1, round(chosen.flips * group.fidelity))
    name = group.candidate.id
    return [TrialOutput(trial.id, artefact=_flips(f"{trial.seed}:{name}", p, flips)) for trial in group.trials]


def _flips(stream: str, p: float, flips: int) -> bytes:
    rng = random.Random(stream)
    bits = sum(1 << number for number in range(flips) if rng.random() < p)
    return bits.to_bytes((flips + 7) // 8, "little")
