"""Tails: what a finding lost at worst, and what its later runs say of its mean.

A typical gain may hide a rare large loss. Each later run of a finding's candidate (as incumbent, in replications and
follow-ups) costs nothing more and is held, with its losses in full, against half of what was claimed: by an e-process
for "the mean gain is at least that" and, once two runs have lost more than 4 sd, by their plain mean, since whoever has
shown such losses must show the gain too.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.metric import gain
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, TailEvidence
from novum.gate import estimate
from novum.gate.eprocess import PRIOR_VARIANCE
from novum.gate.judge import difference

FAR = 4.0
"""Sigma beyond which a loss counts as one of the tail."""

BURDEN = 2
"""Losses beyond that from which on the later runs have to show the gain."""

LEAST_CLAIM = 0.25
"""Sigma below which half of a claim is not sought: no number of runs would tell it from nothing."""

_GAINS, _LOSSES = 2.0, 5.0
"""Clips: gains count up to 4 sigma, losses up to 10; the first keeps factors positive, the second costs power only."""
_LARGEST_BET = 0.9 / _GAINS
_DOUBT = 0.95
"""The level at which what was replaced gets the benefit of the doubt about its own mean."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Losses of the pairs of a claim: the worst in sigma (0: none; None: a failed run), and those beyond 4 sigma.

    excluded: the share of such losses that so many pairs exclude at 95 %.
    """

    worst: float | None
    beyond: int
    pairs: int
    excluded: float


def tail(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> Tail | None:
    """The tail of a claim's verdict and fresh pairs; failed runs count as such losses. None without pairs."""
    if not pairs:
        return None
    losses = [math.inf if pair.candidate is None else -difference(pair, rule) / rule.sigma for pair in pairs]
    beyond, worst = sum(loss > FAR for loss in losses), max(0.0, *losses)
    return Tail(None if math.isinf(worst) else worst, beyond, len(pairs), _excluded(beyond, len(pairs)))


def _excluded(k: int, n: int, error: float = 0.05) -> float:
    """The Clopper-Pearson upper bound of a share of which k in n were seen."""
    if k >= n:
        return 1.0
    low, high = k / n, 1.0
    for _ in range(60):
        share = (low + high) / 2
        at_most = math.fsum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))
        low, high = (share, high) if at_most > error else (low, share)
    return high


@dataclass(frozen=True)
class TailWatch:
    """The TailGate port."""

    settings: GateSettings

    def watch(
        self, rule: ConfirmationOpened, claimed: float, levels: Sequence[float], scores: Sequence[float | None]
    ) -> TailEvidence:
        """The evidence of later runs. levels: at least two fresh scores of what was replaced; scores: at least one."""
        lost = min(0.0, rule.delta)
        wanted = lost + max((claimed - lost) / 2, LEAST_CLAIM * rule.sigma)
        centre, doubt = _level(rule, levels)
        far = FAR * rule.sigma
        gains = [-1.001 * far if score is None else _over(rule, score, centre) for score in scores]
        losses = sum(one < -far for one in gains)
        e_value = _against(gains, wanted - doubt, rule.scale)
        mean = estimate.mean(gains)
        burdened = losses >= BURDEN and mean <= wanted
        refuted = burdened or e_value >= 2.0 / self.settings.beta
        return TailEvidence(len(gains), mean, wanted, min(gains), losses, e_value, refuted)


def _level(rule: ConfirmationOpened, levels: Sequence[float]) -> tuple[float, float]:
    """The mean score of what was replaced, and by how much it may be too high, in the units of differences."""
    values = [math.log(one) if rule.log else one for one in levels]
    error = statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values), statistics.NormalDist().inv_cdf(_DOUBT) * error


def _over(rule: ConfirmationOpened, score: float, centre: float) -> float:
    if not rule.log:
        return gain(score, centre, higher_is_better=rule.higher_is_better, log=False)
    return gain(math.log(score), centre, higher_is_better=rule.higher_is_better, log=False)


def _against(gains: Sequence[float], wanted: float, scale: float) -> float:
    """The largest value so far of the e-process for "the mean gain is at least `wanted`", by losses beyond it."""
    e, largest, bet, total, squares = 1.0, 1.0, _LARGEST_BET / 3, 0.0, 0.0
    for one in gains:
        y = max(-_GAINS, min(_LOSSES, (wanted - one) / scale))
        e *= 1.0 + bet * y
        largest = max(largest, e)
        total, squares = total + y, squares + y * y
        bet = max(0.0, min(_LARGEST_BET, total / (PRIOR_VARIANCE + squares)))
    return largest
