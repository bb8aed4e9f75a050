"""Guardrails: what a candidate may not worsen beyond a margin, whatever it gains elsewhere.

Each is a non-inferiority test of its own on the pairs of the confirmation: E against "the gain is -margin or less".
A claim with guardrails is supported when its own E reaches the threshold and every guardrail has reached 1/beta; both
have to hold, so no error is added up (an intersection-union test, Berger 1982). The probability that a guardrail
which is violated lets a claim pass is at most beta for each hypothesis (Ville); the campaign's bound is for the claim.

A guardrail on `compute` is no test: the mean ratio that was measured on the pairs of the confirmation is held to the
margin, less one standard error of that mean, and stands beside every finding. CPU seconds of short trials on a shared
machine differ by a tenth between equal programs; without this allowance equal compute would be refused by noise. The
price: a candidate that costs one standard error more than the margin passes as often as not. Not bounded by beta.
A claim that has its evidence and lies beyond even so after `SETTLED` pairs is refuted: more pairs would only narrow it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import Guard
from novum.core.model.metric import COMPUTE, gain
from novum.core.model.verdict import GuardrailEvidence, Pair
from novum.gate import eprocess, estimate
from novum.gate.eprocess import Bound

FEWEST = 2
SETTLED = 6
"""Pairs from which on a claim that has its evidence no longer waits for a measured mean to come back to its margin."""
CLEARLY = 2.0
"""Standard errors beyond the margin from which a measured mean breaks it before the pairs are used up."""


def differences(guard: Guard, pairs: Sequence[Pair]) -> list[float]:
    """Gains on the guardrail's metric, positive is better; a failed candidate counts as the worst, in full.

    Pairs that say nothing new, or whose incumbent failed, are left out.
    """
    found: list[float] = []
    for pair in pairs:
        candidate, incumbent = pair.others.get(guard.metric, (0.0, None))
        if candidate is None:
            found.append(-guard.margin - guard.scale)
        elif incumbent is not None:
            found.append(gain(candidate, incumbent, higher_is_better=guard.higher_is_better, log=guard.log))
    return found


def watch(guard: Guard, pairs: Sequence[Pair], process: eprocess.Path) -> GuardrailEvidence:
    """What the pairs show of a guardrail; of one that is only measured, its mean, and no evidence (E = 1)."""
    if guard.metric == COMPUTE:
        gains = differences(guard, pairs)
        return GuardrailEvidence(guard.metric, 1.0, 1.0, len(gains), estimate.mean(gains) if gains else None)
    gains, bound = differences(guard, pairs), Bound(-guard.margin, guard.scale, sigma=guard.scale)
    kept = max([1.0, *process(gains, bound)])
    broken = max([1.0, *eprocess.mirrored(gains, bound, process)])
    return GuardrailEvidence(guard.metric, kept, broken, len(gains), estimate.mean(gains) if gains else None)


def is_kept(guard: Guard, pairs: Sequence[Pair], seen: GuardrailEvidence, bar: float) -> bool:
    """Whether the margin is kept: by its test at `bar` (1/beta), or by the measured mean and its standard error."""
    if guard.metric != COMPUTE:
        return seen.e_value >= bar
    gains = differences(guard, pairs)
    return len(gains) >= FEWEST and bool(estimate.mean(gains) + _standard_error(guard, pairs) >= -guard.margin)


def is_broken(guard: Guard, pairs: Sequence[Pair], seen: GuardrailEvidence, bar: float) -> bool:
    """Whether the margin is not kept: by the test against it, or by a mean that lies clearly beyond it."""
    if guard.metric != COMPUTE:
        return seen.against >= bar
    gains = differences(guard, pairs)
    if len(gains) <= FEWEST:
        return False
    error = max(_standard_error(guard, pairs), guard.margin / CLEARLY / len(gains) ** 0.5)
    return bool(estimate.mean(gains) + CLEARLY * error < -guard.margin)


def _standard_error(guard: Guard, pairs: Sequence[Pair]) -> float:
    """Of the mean of what was measured: a failed candidate is no noise."""
    gains = differences(guard, [pair for pair in pairs if pair.others.get(guard.metric, (None, None))[0] is not None])
    return statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """By which pair (`last`) and with how much optimism (kappa, standard errors) a bar may still be reached."""

    bar: float
    last: int
    kappa: float


def keepable(guard: Guard, pairs: Sequence[Pair], process: eprocess.Path, outlook: Outlook) -> bool:
    """Whether it can still be shown that the margin is kept, by the projection that the gate uses for claims."""
    if guard.metric == COMPUTE:
        return len(pairs) < outlook.last
    gains = differences(guard, pairs)
    return _within_reach(gains, Bound(-guard.margin, guard.scale, sigma=guard.scale), len(pairs), process, outlook)


def breakable(guard: Guard, pairs: Sequence[Pair], process: eprocess.Path, outlook: Outlook) -> bool:
    """Whether it can still be shown that the margin is not kept."""
    if guard.metric == COMPUTE:
        return False
    lost_trials = [-gain for gain in differences(guard, pairs)]
    bound = Bound(guard.margin, guard.scale, sigma=guard.scale)
    return _within_reach(lost_trials, bound, len(pairs), process, outlook)


def _within_reach(gains: Sequence[float], bound: Bound, used: int, process: eprocess.Path, outlook: Outlook) -> bool:
    if len(gains) < FEWEST:
        return used < outlook.last
    *_, now = process(gains, bound)
    drift, sd = estimate.mean(gains) - bound.value, statistics.stdev(gains)
    remaining = (outlook.last - used) * len(gains) / used
    return eprocess.reachable(now, drift, sd, len(gains), remaining, outlook.bar, outlook.kappa)
