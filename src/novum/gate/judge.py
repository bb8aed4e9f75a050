"""The gate: from a pre-registered rule and paired outcomes to a verdict. Pure; the same call re-judges any record."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import ConfirmationOpened, Guard
from novum.core.model.metric import COMPUTE, gain
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Estimate, GuardrailEvidence, Judgement, Pair, Verdict
from novum.gate import eprocess, estimate, guardrail, scale_free, selective_interval, symmetric
from novum.gate.eprocess import Bound
from novum.gate.evidence import threshold

PROCESSES: Mapping[str, eprocess.Path] = {
    "betting": eprocess.path,
    "symmetric": symmetric.path,
    "scale-free": scale_free.path,
}
FEWEST_BEFORE_FUTILE = 2
CRASHES_ALLOWED = 1
FUTILE = "futile: no verdict within reach of the registered pairs"


def difference(pair: Pair, rule: ConfirmationOpened) -> float:
    """D of one pair in metric (or log) units, positive is better, failures included and never dropped.

    A failed candidate counts as -L c whatever the incumbent did; a failed incumbent beside a scored candidate counts as
    0, since a failed run scores no better than a run that ended, and a larger credit could be earned by luck.
    """
    if pair.candidate is None:
        return rule.delta - rule.scale * rule.loss
    if pair.incumbent is None:
        return 0.0
    return gain(pair.candidate, pair.incumbent, higher_is_better=rule.higher_is_better, log=rule.log)


def support_path(rule: ConfirmationOpened, gains: Sequence[float]) -> list[float]:
    """E_0 = 1, E_1, ...: the evidence for the claim of a rule after each of these differences."""
    return [1.0, *PROCESSES[rule.process](gains, _claimed(rule))]


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
        support = support_path(rule, gains)
        against = [1.0, *eprocess.mirrored(gains, _wanted(rule), _process(rule))]

        def ruling(n: int, verdict: Verdict | None, reason: str) -> Judgement:
            crashes = sum(pair.candidate is None for pair in pairs[:n])
            mean = estimate.mean(gains[:n]) if n else None
            return Judgement(
                verdict, reason, n, support[n], bar, max(against[: n + 1]), crashes, mean, _watched(rule, pairs[:n])
            )

        for n in range(judged, len(gains) + 1):
            crashes = sum(pair.candidate is None for pair in pairs[:n])
            if support[n] >= bar and crashes > CRASHES_ALLOWED:
                return ruling(n, Verdict.INCONCLUSIVE, f"unstable: {crashes} failed runs")
            if support[n] >= bar and (lost := lost_beyond(rule, pairs[:n])):
                return ruling(n, Verdict.INCONCLUSIVE, f"unstable: a loss of {lost:.1f} sd in one run")
            if support[n] >= bar and not _unshown(rule, pairs[:n]):
                return ruling(n, Verdict.SUPPORTED, "evidence reached the threshold")
        n = len(gains)
        settled = guardrail.SETTLED <= n < rule.max_pairs and support[n] >= bar
        if broken := _broken(rule, pairs) or (_over_in_mean(rule, pairs) if settled else []):
            return ruling(n, Verdict.REFUTED, f"guardrail: {broken[0]} is worse than the margin allows")
        if n < rule.max_pairs and (n < FEWEST_BEFORE_FUTILE or _support_in_reach(rule, pairs, gains, support[n], bar)):
            return ruling(n, None, "")
        if max(against) >= 1.0 / rule.beta:
            return ruling(n, Verdict.REFUTED, f"a gain of {rule.delta + rule.dmin:.3g} or more is rejected")
        if n >= rule.max_pairs:
            return ruling(n, Verdict.INCONCLUSIVE, _unfinished(rule, pairs, support[n], bar))
        if _refutation_in_reach(rule, pairs, gains, against[n]):
            return ruling(n, None, "")
        return ruling(n, Verdict.INCONCLUSIVE, FUTILE)

    def size(self, rule: ConfirmationOpened, pairs: Sequence[Pair], judged: int, bar: float) -> Estimate:
        """Effect and interval: the first `judged` pairs reached `bar` and chose this claim, the others are fresh.

        No fresh pairs give an empty estimate.
        """
        gains, level = [difference(pair, rule) for pair in pairs], self.settings.interval_level
        fresh = gains[judged:]
        if not fresh:
            return Estimate(None, None, level, 0)
        if rule.interval == "sequence":
            interval = estimate.interval(fresh, rule.scale, level, _process(rule), rule.sigma)
            return Estimate(estimate.mean(fresh), interval, level, len(fresh))
        return selective_interval.size(rule, gains, judged, bar, _process(rule), level)


def lost_beyond(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> float:
    """The largest loss in sigma where it lies beyond the rule's floor, else 0."""
    if not rule.floor:
        return 0.0
    worst = min((difference(pair, rule) - rule.delta for pair in pairs if pair.candidate is not None), default=0.0)
    return -worst / rule.sigma if worst < -rule.floor * rule.sigma else 0.0


def _claimed(rule: ConfirmationOpened) -> Bound:
    return Bound(rule.delta, rule.scale, rule.loss, rule.sigma)


def _wanted(rule: ConfirmationOpened) -> Bound:
    """The gain whose absence refutes."""
    return Bound(rule.delta + rule.dmin, rule.scale, rule.loss, rule.sigma)


def _watched(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> tuple[GuardrailEvidence, ...]:
    """What the pairs show of each guardrail, in their order."""
    return tuple(guardrail.watch(one, pairs, _process(rule)) for one in rule.guards)


def _unfinished(rule: ConfirmationOpened, pairs: Sequence[Pair], support: float, bar: float) -> str:
    """Why a confirmation that has used its pairs ends without a verdict."""
    open_ones = _unshown(rule, pairs)
    if support >= bar and open_ones:
        return f"guardrail: {open_ones[0]} was not shown to keep its margin"
    return "all registered pairs used"


def _support_in_reach(
    rule: ConfirmationOpened, pairs: Sequence[Pair], gains: Sequence[float], support: float, bar: float
) -> bool:
    """Whether the threshold, and 1/beta for every guardrail, can still be reached within the registered pairs."""
    drift = estimate.mean(gains) - rule.delta
    if not _in_reach(rule, gains, drift, support, bar, rule.max_pairs):
        return False
    outlook = guardrail.Outlook(1.0 / rule.beta, rule.max_pairs, rule.optimism)
    return all(
        _kept(one, pairs, rule) or guardrail.keepable(one, pairs, _process(rule), outlook) for one in rule.guards
    )


def _kept(one: Guard, pairs: Sequence[Pair], rule: ConfirmationOpened) -> bool:
    return guardrail.is_kept(one, pairs, guardrail.watch(one, pairs, _process(rule)), 1.0 / rule.beta)


def _unshown(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> list[str]:
    """Guardrails whose margin is not shown to be kept."""
    return [one.metric for one in rule.guards if not _kept(one, pairs, rule)]


def _over_in_mean(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> list[str]:
    """Guardrails that are only measured and lie beyond their margin, when nothing but them is left to be shown."""
    return [one.metric for one in rule.guards if one.metric == COMPUTE and not _kept(one, pairs, rule)]


def _broken(rule: ConfirmationOpened, pairs: Sequence[Pair]) -> list[str]:
    """Guardrails whose margin is shown to be broken."""
    seen = zip(rule.guards, _watched(rule, pairs), strict=True)
    return [guard.metric for guard, said in seen if guardrail.is_broken(guard, pairs, said, 1.0 / rule.beta)]


def _process(rule: ConfirmationOpened) -> eprocess.Path:
    return PROCESSES[rule.process]


def _refutation_in_reach(
    rule: ConfirmationOpened, pairs: Sequence[Pair], gains: Sequence[float], against: float
) -> bool:
    """The same question for the mirrored processes, within the pairs that a refutation may use."""
    shortfall = rule.delta + rule.dmin - estimate.mean(gains)
    last = min(rule.refute_pairs, rule.max_pairs)
    if len(gains) >= last:
        return False
    outlook = guardrail.Outlook(1.0 / rule.beta, last, rule.optimism)
    broken = any(guardrail.breakable(one, pairs, _process(rule), outlook) for one in rule.guards)
    return broken or _in_reach(rule, gains, shortfall, against, 1.0 / rule.beta, last)


def _in_reach(
    rule: ConfirmationOpened, gains: Sequence[float], drift: float, e_value: float, bar: float, last: int
) -> bool:
    n = len(gains)
    sd = statistics.stdev(gains) if n > FEWEST_BEFORE_FUTILE else rule.sigma
    return eprocess.reachable(e_value, drift, sd, n, last - n, bar, rule.optimism)
