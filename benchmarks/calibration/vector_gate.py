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
from novum.core.model.study import GateSettings
from novum.gate.eprocess import FIRST_BET, LARGEST_BET, PRIOR_VARIANCE
from novum.gate.judge import CRASHES_ALLOWED, FEWEST_BEFORE_FUTILE, OPTIMISM

SUPPORTED, REFUTED, INCONCLUSIVE = 1, 2, 3
# Rows of the state: the e-process for the claim, the mirrored one, and the running moments of D.
_E, _BET, _SUM, _SQUARES, _AGAINST, _LEAN, _LOSS, _LOSSES, _LARGEST, _MEAN, _SPREAD, _CRASHES = range(12)
Draw = Callable[[int, Integers], tuple[Floats, Flags | None]]


class Purse:
    """The evidence ledger of each campaign: novum.gate.evidence.Recycling, or Elond where refunds are off."""

    def __init__(self, settings: GateSettings, campaigns: int) -> None:
        self.settings = settings
        self.cash = np.ones(campaigns)
        self.discoveries = np.zeros(campaigns)
        self.opened = 0

    def open(self) -> Floats:
        """Put aside the stakes of the next confirmation, one in each campaign."""
        self.opened += 1
        s = self.settings
        if s.refunds:
            stake = self.cash / max(s.planned - self.opened + 1, s.stake_floor)
        else:
            stake = np.full(self.cash.shape, 1.0 / s.planned if self.opened <= s.planned else 0.0)
        self.cash = np.maximum(0.0, self.cash - stake)
        return stake

    def bar(self, stake: Floats) -> Floats:
        """The threshold on E: 1 / (alpha w (R + 1)), at least 1 / alpha; without a stake none can be reached."""
        with np.errstate(divide="ignore"):
            return np.maximum(1.0 / (self.settings.alpha * stake * (self.discoveries + 1)), 1.0 / self.settings.alpha)

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


def confirm(settings: GateSettings, draw: Draw, sigma: Floats, bar: Floats) -> Ends:
    """Run one confirmation of each campaign pair by pair.

    draw(n, campaigns): differences of pair n (from 0) in these campaigns, and which candidates crashed if any can.
    sigma: sd of A/A pairs; bar: threshold on E. Campaigns whose bar is infinite do nothing.
    """
    size = sigma.size
    verdict, pairs = np.full(size, INCONCLUSIVE), np.zeros(size, np.int64)
    e_value, mean, peak = np.ones(size), np.zeros(size), np.ones(size)
    active = np.nonzero(np.isfinite(bar))[0]
    state = _fresh(active.size)
    for n in range(1, settings.max_pairs + 1):
        if not active.size:
            break
        c = settings.clip * sigma[active]
        gains, crashed = draw(n - 1, active)
        if crashed is not None:
            gains = np.where(crashed, settings.delta - c, gains)
            state[_CRASHES] += crashed
        _advance(state, gains, settings.delta, settings.dmin * sigma[active], c, n)
        peak[active] = np.maximum(peak[active], state[_E])
        ruling = _rule(settings, state, n, sigma[active], bar[active])
        over = ruling > 0
        if over.any():
            done = active[over]
            verdict[done], pairs[done] = ruling[over], n
            e_value[done], mean[done] = state[_E, over], state[_MEAN, over]
            active, state = active[~over], state[:, ~over]
    return Ends(verdict, pairs, e_value, bar, mean, peak)


def _fresh(size: int) -> Floats:
    state = np.zeros((12, size))
    state[[_E, _AGAINST, _LARGEST]] = 1.0
    state[[_BET, _LEAN]] = FIRST_BET
    return state


def _advance(state: Floats, gains: Floats, delta: float, dmin: Floats, c: Floats, n: int) -> None:
    """Take in pair n: both e-processes, then mean and sum of squared deviations (Welford, exact for equal values)."""
    _bet(state, _E, np.clip((gains - delta) / c, -1.0, 1.0))
    _bet(state, _AGAINST, np.clip((delta + dmin - gains) / c, -1.0, 1.0))
    np.maximum(state[_LARGEST], state[_AGAINST], out=state[_LARGEST])
    off = gains - state[_MEAN]
    state[_MEAN] += off / n
    state[_SPREAD] += off * (gains - state[_MEAN])


def _bet(state: Floats, row: int, y: Floats) -> None:
    """One step of novum.gate.eprocess.path on the four rows from `row` on: E, bet, sum, squares."""
    state[row] *= 1.0 + state[row + 1] * y
    state[row + 2] += y
    state[row + 3] += y * y
    bet = state[row + 2] / (PRIOR_VARIANCE + state[row + 3])
    np.minimum(np.maximum(bet, 0.0), LARGEST_BET, out=state[row + 1])


def _rule(settings: GateSettings, state: Floats, n: int, sigma: Floats, bar: Floats) -> Integers:
    """0 for going on, or a verdict: novum.gate.judge.BettingGate.judge after pair n."""
    reached = state[_E] >= bar
    ruling = np.where(reached, np.where(state[_CRASHES] > CRASHES_ALLOWED, INCONCLUSIVE, SUPPORTED), 0)
    if n < min(FEWEST_BEFORE_FUTILE, settings.max_pairs):
        return ruling
    last = n >= settings.max_pairs
    sd = np.sqrt(state[_SPREAD] / (n - 1)) if n > FEWEST_BEFORE_FUTILE else sigma
    sd = np.maximum(sd, 1e-12)
    hopeless = np.full(reached.shape, last)
    if not last:
        hopeless = ~_in_reach(sd, state[_MEAN] - settings.delta, state[_E], np.log(bar), n, settings.max_pairs)
    refuted = state[_LARGEST] >= 1.0 / settings.beta
    ends = np.where(refuted, REFUTED, INCONCLUSIVE)
    furthest = min(settings.refute_pairs, settings.max_pairs)
    if n < furthest:
        shortfall = settings.delta + settings.dmin * sigma - state[_MEAN]
        worth = _in_reach(sd, shortfall, state[_AGAINST], np.float64(-math.log(settings.beta)), n, furthest)
        ends = np.where(~refuted & worth, 0, ends)
    return np.where(reached | ~hopeless, ruling, ends)


def _in_reach(sd: Floats, drift: Floats, e_value: Floats, goal: Floats | np.float64, n: int, last: int) -> Flags:
    effect = np.maximum(drift / sd + OPTIMISM / math.sqrt(n), 0.0)
    hope = math.log(2) * (1.0 - np.exp(-effect * effect / (2 * math.log(2))))
    return np.log(np.maximum(e_value, 1e-300)) + (last - n) * hope >= goal
