"""Gates broken on purpose (docs/trust.md). A check that lets one of these pass is worth nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calibration.noise import Flags, Floats
from calibration.novum_rules import real_pairs
from calibration.stream import Integers, Record, Stream
from calibration.vector_gate import SUPPORTED, Draw, Purse, confirm
from novum.core.model.study import GateSettings

STORED_RUNS = 5


@dataclass(frozen=True)
class WithoutLedger:
    """Each hypothesis tested alone: E >= 1 / alpha."""

    settings: GateSettings

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        bar = np.full(stream.campaigns, 1.0 / self.settings.alpha)
        for j in range(stream.hypotheses):
            stream.propose(j)
            ends = confirm(self.settings, real_pairs(stream, j), stream.drawn.sigma, bar)
            stream.learn(j, ends.verdict == SUPPORTED, ends.mean, ends.pairs)
            stream.record.evidence[j] = ends.e_value
        return stream.record


@dataclass(frozen=True)
class EditedThreshold:
    """Peeks at the largest E of a finished confirmation, then writes a threshold below it if it looked significant."""

    settings: GateSettings
    looks_significant: float = 20.0

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        purse = Purse(self.settings, stream.campaigns)
        for j in range(stream.hypotheses):
            stream.propose(j)
            stake = purse.open()
            ends = confirm(self.settings, real_pairs(stream, j), stream.drawn.sigma, purse.bar(stake))
            accepted = purse.close(stake, ends) | (ends.peak >= self.looks_significant)
            stream.learn(j, accepted, ends.mean, ends.pairs)
            stream.record.evidence[j] = ends.e_value
        return stream.record


@dataclass(frozen=True)
class StoredIncumbent:
    """Compares the candidate's fresh runs with the mean of five runs of the incumbent that were stored once.

    A new incumbent gets a new stored mean. Every candidate meets the same luck, which no number of seeds removes. The
    scale is that of the runs compared: a single one has 1 / sqrt 2 of the sd of a difference.
    """

    settings: GateSettings

    def __call__(self, stream: Stream) -> Record:
        """Decide the stream."""
        purse, noise = Purse(self.settings, stream.campaigns), stream.drawn.noise
        rng, scale = np.random.default_rng(5), math.sqrt(0.5) * stream.drawn.sigma
        stored = noise.runs(rng, (STORED_RUNS, stream.campaigns)).mean(axis=0)
        for j in range(stream.hypotheses):
            effect, stake = stream.propose(j), purse.open()
            ends = confirm(self.settings, _unpaired(stream, effect - stored, rng), scale, purse.bar(stake))
            accepted = purse.close(stake, ends)
            stream.learn(j, accepted, ends.mean, ends.pairs / 2)
            stream.record.evidence[j] = ends.e_value
            again = noise.runs(rng, (STORED_RUNS, stream.campaigns)).mean(axis=0)
            stored = np.where(accepted, again, stored)
        return stream.record


def _unpaired(stream: Stream, gain: Floats, rng: np.random.Generator) -> Draw:
    """Runs of the candidate against a stored mean, which `gain` has already subtracted."""

    def draw(n: int, who: Integers) -> tuple[Floats, Flags | None]:  # noqa: ARG001 the shape of a Draw
        return stream.drawn.noise.rounded(gain[who] + stream.drawn.noise.runs(rng, (who.size,))), None

    return draw
