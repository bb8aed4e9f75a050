"""Guardrails: what a candidate may not worsen beyond a margin, whatever it gains elsewhere.

Each is a non-inferiority test of its own on the pairs of the confirmation: E against "the gain is -margin or less".
A claim with guardrails is supported when its own E reaches the threshold and every guardrail has reached 1/beta; both
have to hold, so no error is added up (an intersection-union test, Berger 1982). The probability that a guardrail
which is violated lets a claim pass is at most beta for each hypothesis (Ville); the campaign's bound is for the claim.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import Guard
from novum.core.model.metric import gain
from novum.core.model.verdict import GuardrailEvidence, Pair
from novum.gate import eprocess, estimate
from novum.gate.eprocess import Bound

FEWEST = 2


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
    """What the pairs show of a guardrail."""
    gains, bound = differences(guard, pairs), Bound(-guard.margin, guard.scale, sigma=guard.scale)
    kept = max([1.0, *process(gains, bound)])
    broken = max([1.0, *eprocess.mirrored(gains, bound, process)])
    return GuardrailEvidence(guard.metric, kept, broken, len(gains), estimate.mean(gains) if gains else None)


@dataclass(frozen=True, slots=True)
class Outlook:
    """By which pair (`last`) and with how much optimism (kappa, standard errors) a bar may still be reached."""

    bar: float
    last: int
    kappa: float


def keepable(guard: Guard, pairs: Sequence[Pair], process: eprocess.Path, outlook: Outlook) -> bool:
    """Whether it can still be shown that the margin is kept, by the projection that the gate uses for claims."""
    gains = differences(guard, pairs)
    return _within_reach(gains, Bound(-guard.margin, guard.scale, sigma=guard.scale), len(pairs), process, outlook)


def breakable(guard: Guard, pairs: Sequence[Pair], process: eprocess.Path, outlook: Outlook) -> bool:
    """Whether it can still be shown that the margin is not kept."""
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
