"""The gate: from a pre-registered rule and paired outcomes to a verdict. Pure; the same call re-judges any record."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from novum.core.events import ConfirmationOpened
from novum.core.judgement import Estimate, Judgement, Pair
from novum.core.metric import gain
from novum.core.plans import Verdict
from novum.core.study import GateSettings
from novum.gate import eprocess, estimate, symmetric
from novum.gate.evidence import threshold

PROCESSES: Mapping[str, eprocess.Path] = {"betting": eprocess.path, "symmetric": symmetric.path}
FEWEST_BEFORE_FUTILE = 2
CRASHES_ALLOWED = 1
OPTIMISM = 1.1
"""Standard errors by which the future may be kinder than the past before a test counts as futile."""


def difference(pair: Pair, rule: ConfirmationOpened) -> float:
    """D of one pair in metric (or log) units, positive is better, failures included and never dropped.

    A failed candidate counts as -c whatever the incumbent did; a failed incumbent beside a scored candidate counts as
    0, since a failed run scores no better than a run that ended, and a larger credit could be earned by luck.
    """
    if pair.candidate is None:
        return rule.delta - rule.scale
    if pair.incumbent is None:
        return 0.0
    return gain(pair.candidate, pair.incumbent, higher_is_better=rule.higher_is_better, log=rule.log)


@dataclass(frozen=True)
class BettingGate:
    """The Gate port: an e-process for the claim, its mirror image against it."""

    settings: GateSettings

    def judge(self, rule: ConfirmationOpened, pairs: Sequence[Pair], judged: int, discoveries: int) -> Judgement:
        """Verdict on the pairs so far, in order; `verdict` is None while more pairs are worth their cost.

        judged: how many of the pairs an earlier call has already seen. A threshold that has fallen since then (because
        `discoveries` rose) applies to the present evidence and what follows, never to a past maximum: E at the time of
        acceptance is then E at a stopping time, which is what the guarantee needs. However many discoveries there are,
        a claim needs at least the 1/alpha that it would need alone. A claim is refuted only when it cannot be supported
        any more: a gain between delta and delta + dmin can raise both processes.
        """
        bar = max(threshold(rule.alpha, rule.stake, discoveries), 1.0 / rule.alpha)
        gains = [difference(pair, rule) for pair in pairs]
        path = PROCESSES[rule.process]
        support = [1.0, *path(gains, rule.delta, rule.scale)]
        against = [1.0, *eprocess.mirrored(gains, rule.delta + rule.dmin, rule.scale, path)]

        def ruling(n: int, verdict: Verdict | None, reason: str) -> Judgement:
            crashes = sum(pair.candidate is None for pair in pairs[:n])
            mean = estimate.mean(gains[:n]) if n else None
            return Judgement(verdict, reason, n, support[n], bar, max(against[: n + 1]), crashes, mean)

        for n in range(judged, len(gains) + 1):
            crashes = sum(pair.candidate is None for pair in pairs[:n])
            if support[n] >= bar and crashes > CRASHES_ALLOWED:
                return ruling(n, Verdict.INCONCLUSIVE, f"unstable: {crashes} failed runs")
            if support[n] >= bar:
                return ruling(n, Verdict.SUPPORTED, "evidence reached the threshold")
        n = len(gains)
        if n < rule.max_pairs and (n < FEWEST_BEFORE_FUTILE or _support_in_reach(rule, gains, support[n], bar)):
            return ruling(n, None, "")
        if max(against) >= 1.0 / rule.beta:
            return ruling(n, Verdict.REFUTED, f"a gain of {rule.delta + rule.dmin:.3g} or more is rejected")
        if n >= rule.max_pairs:
            return ruling(n, Verdict.INCONCLUSIVE, "all registered pairs used")
        if _refutation_in_reach(rule, gains, against[n]):
            return ruling(n, None, "")
        return ruling(n, Verdict.INCONCLUSIVE, "futile: no verdict within reach of the registered pairs")

    def estimate(self, rule: ConfirmationOpened, pairs: Sequence[Pair]) -> Estimate:
        """Effect and interval from pairs that the verdict did not use. Empty pairs give an empty estimate."""
        gains = [difference(pair, rule) for pair in pairs]
        if not gains:
            return Estimate(None, None, self.settings.interval_level, 0)
        level = self.settings.interval_level
        interval = estimate.interval(gains, rule.scale, level, PROCESSES[rule.process])
        return Estimate(estimate.mean(gains), interval, level, len(gains))


def _support_in_reach(rule: ConfirmationOpened, gains: Sequence[float], support: float, bar: float) -> bool:
    """Whether log E + (Nmax - n) g(mean/sd + kappa/sqrt n) >= log T, kappa = OPTIMISM.

    Heuristic, and free to be: any stopping rule is valid.
    """
    drift = estimate.mean(gains) - rule.delta
    return _in_reach(rule, gains, drift, support, math.log(bar), rule.max_pairs)


def _refutation_in_reach(rule: ConfirmationOpened, gains: Sequence[float], against: float) -> bool:
    """The same question for the mirrored process, within the pairs that a refutation may use."""
    shortfall = rule.delta + rule.dmin - estimate.mean(gains)
    last = min(rule.refute_pairs, rule.max_pairs)
    return len(gains) < last and _in_reach(rule, gains, shortfall, against, -math.log(rule.beta), last)


def _in_reach(
    rule: ConfirmationOpened, gains: Sequence[float], drift: float, e_value: float, goal: float, last: int
) -> bool:
    n = len(gains)
    sd = statistics.stdev(gains) if n > FEWEST_BEFORE_FUTILE else rule.sigma
    hope = eprocess.growth(drift / max(sd, 1e-12) + OPTIMISM / math.sqrt(n))
    return math.log(max(e_value, 1e-300)) + (last - n) * hope >= goal
