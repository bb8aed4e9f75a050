"""Novum's gate for many campaigns at once: the same rule as novum.gate, with campaigns as the vector axis.

tests/benchmarks compares it with the shipped classes, confirmation by confirmation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.noise import Flags, Floats
from calibration.stream import Integers
from calibration.vector_process import in_reach, process
from novum.core.engine.evidence_plan import KEPT, LONG
from novum.core.model.study import GateSettings
from novum.gate.judge import CRASHES_ALLOWED, FEWEST_BEFORE_FUTILE

SUPPORTED, REFUTED, INCONCLUSIVE = 1, 2, 3
Draw = Callable[[int, Integers], tuple[Floats, Flags | None]]


class Purse:
    """The evidence ledger of each campaign: novum.gate.evidence.Recycling, or Elond where refunds are off."""

    def __init__(self, settings: GateSettings, campaigns: int, planned: int = 0) -> None:
        """planned: confirmations that the budget pays, where the study leaves that to the plan; 0: it does not."""
        self.settings, self.planned = settings, settings.planned or planned or LONG
        self.cash = np.ones(campaigns) * (1.0 if settings.planned else 1.0 - KEPT)
        self.least = 1 if 0 < planned < LONG and not settings.planned else settings.stake_floor
        self.discoveries = np.zeros(campaigns)
        self.opened = 0

    def open(self) -> Floats:
        """Put aside the stakes of the next confirmation, one in each campaign."""
        self.opened += 1
        s = self.settings
        if s.refunds:
            stake = self.cash / max(self.planned - self.opened + 1, self.least)
        else:
            stake = np.full(self.cash.shape, 1.0 / self.planned if self.opened <= self.planned else 0.0)
        self.cash = np.maximum(0.0, self.cash - stake)
        return stake

    def bar(self, stake: Floats, discoveries: Floats | None = None) -> Floats:
        """The threshold on E: 1 / (alpha w (R + 1)), at least 1 / alpha; without a stake none can be reached."""
        found = self.discoveries if discoveries is None else discoveries
        with np.errstate(divide="ignore"):
            return np.maximum(1.0 / (self.settings.alpha * stake * (found + 1)), 1.0 / self.settings.alpha)

    def close(self, stake: Floats, ends: Ends) -> Flags:
        """Settle, and say which were accepted."""
        accepted: Flags = ends.verdict == SUPPORTED
        if self.settings.refunds:
            self.cash = self.cash + stake * np.minimum(1.0, np.where(accepted, ends.e_value - ends.bar, ends.e_value))
        self.discoveries = self.discoveries + accepted
        return accepted


@dataclass(frozen=True)
class Ends:
    """How one confirmation of each campaign ended. mean: of D up to there. peak: the largest E on the way."""

    verdict: Integers
    pairs: Integers
    e_value: Floats
    bar: Floats
    mean: Floats
    peak: Floats


@dataclass(frozen=True)
class Scale:
    """What differences are measured in, by campaign: sigma, and L, the loss side in units of the clip."""

    sigma: Floats
    loss: Floats

    @classmethod
    def of(cls, sigma: Floats) -> Scale:
        """Both sides clipped alike."""
        return cls(sigma, np.ones(sigma.size))


def confirm(settings: GateSettings, draw: Draw, sigma: Floats | Scale, bar: Floats) -> Ends:
    """Run one confirmation of each campaign pair by pair.

    draw(n, campaigns): differences of pair n (from 0) in these campaigns, and which candidates crashed if any can.
    sigma: sd of A/A pairs; bar: threshold on E. Campaigns whose bar is infinite do nothing.
    """
    race = Race(settings, sigma if isinstance(sigma, Scale) else Scale.of(sigma), bar)
    while race.active.size:
        race.step(*draw(race.n, race.active), bar)
    return race.ends(bar)


class Race:
    """One confirmation in each campaign, on its way: novum.gate.judge.BettingGate pair by pair."""

    def __init__(self, settings: GateSettings, scale: Scale, bar: Floats) -> None:
        size = scale.sigma.size
        self.settings, self.n = settings, 0
        self.verdict, self.pairs = np.full(size, INCONCLUSIVE), np.zeros(size, np.int64)
        self.e_value, self.mean, self.peak, self.reached = np.ones(size), np.zeros(size), np.ones(size), bar.copy()
        self.active: Integers = np.nonzero(np.isfinite(bar))[0]
        self.sigma, self.loss = scale.sigma[self.active], scale.loss[self.active]
        self.last = np.ceil(settings.max_pairs * (1.0 + self.loss) / 2.0)
        c, delta = settings.clip * self.sigma, np.full(self.sigma.size, settings.delta)
        self.support = process(settings.process, delta, c, self.loss, self.sigma)
        wanted = -(delta + settings.dmin * self.sigma)
        self.against = process(settings.process, wanted, c, self.loss, self.sigma)
        self.largest, self.average = np.ones(c.size), np.zeros(c.size)
        self.spread, self.crashes, self.worst = np.zeros(c.size), np.zeros(c.size), np.zeros(c.size)

    def step(self, gains: Floats, crashed: Flags | None, bar: Floats) -> None:
        """Take one more pair in every campaign that is not over, and close those that are."""
        self.n += 1
        s = self.settings
        scored = gains
        if crashed is not None:
            gains = np.where(crashed, s.delta - s.clip * self.sigma * self.loss, gains)
            scored = np.where(crashed, 0.0, gains)
            self.crashes = self.crashes + crashed
        self.worst = np.minimum(self.worst, scored - s.delta)
        self.support.step(gains)
        self.against.step(-gains)
        self.largest = np.maximum(self.largest, self.against.e)
        off = gains - self.average
        self.average = self.average + off / self.n
        self.spread = self.spread + off * (gains - self.average)
        self.peak[self.active] = np.maximum(self.peak[self.active], self.support.e)
        ruling = self._rule(bar[self.active])
        over = ruling > 0
        if over.any():
            done = self.active[over]
            self.verdict[done], self.pairs[done] = ruling[over], self.n
            self.e_value[done], self.mean[done] = self.support.e[over], self.average[over]
            self.reached[done] = bar[done]
            self._keep(~over)

    def ends(self, bar: Floats | None = None) -> Ends:
        """How they ended; `bar`: the threshold that held all along."""
        bars = self.reached if bar is None else bar
        return Ends(self.verdict, self.pairs, self.e_value, bars, self.mean, self.peak)

    def _keep(self, which: Flags) -> None:
        self.active = self.active[which]
        for name in ("sigma", "loss", "last", "largest", "average", "spread", "crashes", "worst"):
            setattr(self, name, getattr(self, name)[which])
        self.support.keep(which)
        self.against.keep(which)

    def _rule(self, bar: Floats) -> Integers:
        """0 for going on, or a verdict: novum.gate.judge.BettingGate.judge after pair n."""
        s, n, e = self.settings, self.n, self.support.e
        reached = e >= bar
        unstable = self.crashes > CRASHES_ALLOWED
        if s.floor and s.claim != "mean":
            unstable = unstable | (self.worst < -s.floor * self.sigma)
        ruling = np.where(reached, np.where(unstable, INCONCLUSIVE, SUPPORTED), 0)
        if n < FEWEST_BEFORE_FUTILE and (n < self.last).all():
            return ruling
        last = n >= self.last
        sd = np.sqrt(self.spread / (n - 1)) if n > FEWEST_BEFORE_FUTILE else self.sigma
        sd = np.maximum(sd, 1e-12)
        hopeless = last | ~in_reach(sd, self.average - s.delta, e, np.log(bar), n, self.last, s.hope)
        refuted = self.largest >= 1.0 / s.beta
        ends = np.where(refuted, REFUTED, INCONCLUSIVE)
        furthest = np.minimum(s.refute_pairs, self.last)
        shortfall = s.delta + s.dmin * self.sigma - self.average
        goal = np.float64(-math.log(s.beta))
        worth = (n < furthest) & in_reach(sd, shortfall, self.against.e, goal, n, furthest, s.hope)
        ends = np.where(~refuted & worth, 0, ends)
        return np.where(reached | ~hopeless, ruling, ends)
