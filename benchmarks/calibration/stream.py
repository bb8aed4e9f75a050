"""Streams of hypotheses: the truth, the proposer that learns from acceptances, and what a rule decided.

The dynamics of the reference study leave a choice, "the truth rate doubles after a true acceptance and halves after a
false one". Here the rate is pi at first, 2 pi while the latest acceptance was true and pi / 2 while it was false: it
does not compound. This reading gives its keep-if-better figures (44 pairs per true discovery and FDR .946 at 5 %,
7 and .715 at 20 %; simulated here 43, .945, 7.5 and .715); compounding within [pi / 2, 2 pi] gives 47, .949, 8.4 and
.744, a fixed rate 25, .908, 6.4 and .674. Where few acceptances are false, as with the gate, the first two agree and a
fixed rate costs 155 and 47 pairs per true discovery instead of 94 and 29. Effects are relative to the current
incumbent, so that the incumbent's own level matters to the stored-score ratchet only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from calibration.noise import Flags, Floats, Noise

EFFECTS = (0.2, 0.5, 1.0, 2.0)
HARM = -0.5
CHEAP_SEEDS = 4
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Draws:
    """All that chance decides in a block of campaigns, whatever the rule. Axes: hypothesis, pair, campaign.

    mine, theirs: noise of the pairs, see Noise.draw; the last CHEAP_SEEDS pairs of a hypothesis are for screening.
    runs: noise of single runs, start: the baseline's own score. truth, harm: uniform; kind: index of the effect.
    sigma: sd of each campaign's A/A pairs.
    """

    noise: Noise
    mine: Floats
    theirs: Floats | None
    runs: Floats
    truth: Floats
    harm: Floats
    kind: Integers
    sigma: Floats
    start: Floats

    def first(self, campaigns: int) -> Draws:
        """The same draws of the first campaigns only."""
        theirs = None if self.theirs is None else self.theirs[..., :campaigns]
        return replace(
            self,
            mine=self.mine[..., :campaigns],
            theirs=theirs,
            runs=self.runs[:, :campaigns],
            truth=self.truth[:, :campaigns],
            harm=self.harm[:, :campaigns],
            kind=self.kind[:, :campaigns],
            sigma=self.sigma[:campaigns],
            start=self.start[:campaigns],
        )


def draws(
    noise: Noise, rng: np.random.Generator, hypotheses: int, pairs: int, campaigns: int, calibration: int
) -> Draws:
    """Draw a block of campaigns. pairs: the most that a confirmation may use; calibration: A/A pairs behind sigma."""
    mine, theirs = noise.draw(rng, (hypotheses, pairs + CHEAP_SEEDS, campaigns))
    each = (hypotheses, campaigns)
    twins = noise.rounded(noise.calibration(rng, (calibration, campaigns)))
    sigma = np.maximum(twins.std(axis=0, ddof=1), 1e-6)
    kind = rng.integers(len(EFFECTS), size=each)
    start = noise.rounded(math.sqrt(0.5) * noise.calibration(rng, (campaigns,)))
    return Draws(noise, mine, theirs, noise.runs(rng, each), rng.random(each), rng.random(each), kind, sigma, start)


@dataclass
class Record:
    """What a rule decided. Axes: hypothesis, campaign.

    effects: true gains. claims: the gain that an acceptance is announced with. pairs: pairs spent (half a pair is one
    run). evidence: E at the end of a confirmation, nan where there was none. failure: the difference that a crashed
    run counts as in a fresh estimate, by campaign; None: its own value.
    """

    effects: Floats
    accepted: Flags
    claims: Floats
    pairs: Floats
    evidence: Floats
    failure: Floats | None = None


class Stream:
    """One block of campaigns at one share of true effects, from its first hypothesis to its last. Used once."""

    def __init__(self, drawn: Draws, share: float) -> None:
        self.drawn = drawn
        self.share = share
        self.hypotheses, self.campaigns = drawn.truth.shape
        self.rate = np.full(self.campaigns, share)
        each = (self.hypotheses, self.campaigns)
        accepted, evidence = np.zeros(each, bool), np.full(each, np.nan)
        self.record = Record(np.zeros(each), accepted, np.zeros(each), np.zeros(each), evidence)

    @cached_property
    def everyone(self) -> Integers:
        """Indices of the campaigns."""
        return np.arange(self.campaigns)

    def propose(self, j: int) -> Floats:
        """True gains of the j-th hypotheses; they depend on what was accepted before."""
        null = np.where(self.drawn.harm[j] < 0.5, HARM, 0.0) if self.share else 0.0
        gains = np.take(EFFECTS, self.drawn.kind[j])
        effects: Floats = np.where(self.drawn.truth[j] < self.rate, gains, null)
        self.record.effects[j] = effects
        return effects

    def observe(self, hypothesis: Integers | int, n: int, campaigns: Integers) -> Floats:
        """D of pair n (from 0) of a hypothesis in each of `campaigns`."""
        drawn = self.drawn
        theirs = None if drawn.theirs is None else drawn.theirs[hypothesis, n, campaigns]
        effects = self.record.effects[hypothesis, campaigns]
        return drawn.noise.observe(effects, drawn.mine[hypothesis, n, campaigns], theirs)

    def failed(self, hypothesis: Integers | int, n: int, campaigns: Integers) -> Flags | None:
        """Whether the candidate crashed in that pair; None for noise without crashes."""
        return self.drawn.noise.failed(self.drawn.mine[hypothesis, n, campaigns]) if self.drawn.noise.crash else None

    def pairs(self, j: int, count: int) -> Floats:
        """D of the first pairs of the j-th hypotheses. Axes: pair, campaign."""
        drawn = self.drawn
        theirs = None if drawn.theirs is None else drawn.theirs[j, :count]
        return drawn.noise.observe(self.record.effects[j], drawn.mine[j, :count], theirs)

    def learn(
        self, hypothesis: Integers | int, accepted: Flags, claims: Floats, pairs: Floats | Integers | float
    ) -> None:
        """Note decisions on one hypothesis of each campaign; the proposer takes the hint."""
        who, record = self.everyone, self.record
        record.accepted[hypothesis, who] = accepted
        record.claims[hypothesis, who] = np.where(accepted, claims, 0.0)
        record.pairs[hypothesis, who] += pairs
        real = record.effects[hypothesis, who] > 0
        hinted = np.minimum(np.where(real, 2.0, 0.5) * self.share, 1.0)
        self.rate = np.where(accepted, hinted, self.rate)


def fresh_gains(noise: Noise, rng: np.random.Generator, record: Record, pairs: int) -> Floats:
    """Mean of further pairs for each accepted hypothesis, 0 elsewhere; these pairs are not counted as spent."""
    who = np.nonzero(record.accepted)
    mine, theirs = noise.draw(rng, (pairs, who[0].size))
    seen = noise.observe(record.effects[who], mine, theirs)
    crashed = noise.failed(mine)
    if crashed is not None and record.failure is not None:
        seen = np.where(crashed, record.failure[who[1]], seen)
    gains = np.zeros(record.accepted.shape)
    gains[who] = seen.mean(axis=0)
    return gains
