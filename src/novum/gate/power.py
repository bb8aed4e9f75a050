"""What a budget can confirm: the shipped gate on synthetic differences of known size.

Unit of effects: sigma, the standard deviation of an A/A difference. Noise is Gaussian; the scale is taken as known.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.candidate import Candidate
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, Verdict
from novum.core.state.arm import BLOCK
from novum.gate.judge import BettingGate

EFFECTS = (0.25, 0.5, 1.0, 2.0, 4.0)
REPEATS = 150
WANTED = 0.8
GRID = (15, 30, 45, 60, 90, 120)


@dataclass(frozen=True, slots=True)
class Power:
    """Probability that a true effect is confirmed, and the mean number of pairs that its confirmation takes."""

    effect: float
    probability: float
    pairs: float


@cache
def _table(gate: GateSettings, threshold: float, max_pairs: int, effect: float) -> Power:
    return _power(gate, unit_rule(gate, threshold, max_pairs), effect)


def power(gate: GateSettings, threshold: float, max_pairs: int, effects: Sequence[float] = EFFECTS) -> list[Power]:
    """Power at each effect against a fixed threshold, with at most `max_pairs` pairs (Monte-Carlo, 150 repeats)."""
    return [_table(gate, threshold, max_pairs, effect) for effect in effects]


def pairs_needed(gate: GateSettings, threshold: float, effect: float) -> int | None:
    """The smallest max_pairs of GRID that confirms `effect` with probability 0.8, None if none does.

    Futility ends most tests of small effects early, whatever max_pairs is, so the largest is asked first.
    """

    def enough(pairs: int) -> bool:
        return power(gate, threshold, pairs, [effect])[0].probability >= WANTED

    return next(filter(enough, GRID)) if enough(GRID[-1]) else None


def unit_rule(gate: GateSettings, threshold: float, max_pairs: int) -> ConfirmationOpened:
    """A registered rule in units of sigma, with delta taken off the effect already."""
    nobody = Candidate({})
    return ConfirmationOpened(
        hypothesis="h0",
        attempt=1,
        code="",
        candidate=nobody,
        incumbent=nobody,
        candidate_setting={},
        incumbent_setting={},
        process=gate.process,
        metric="",
        higher_is_better=True,
        log=False,
        delta=0.0,
        scale=gate.clip,
        sigma=1.0,
        dmin=gate.dmin,
        alpha=gate.alpha,
        beta=gate.beta,
        max_pairs=max_pairs,
        refute_pairs=0,
        position=1,
        stake=1.0 / (gate.alpha * threshold),
        cash=0.0,
        threshold=threshold,
        guards=(),
        key_commitment="",
        optimism=gate.hope,
    )


def _power(settings: GateSettings, rule: ConfirmationOpened, effect: float) -> Power:
    gate, rng = BettingGate(replace(settings, refute_pairs=0)), random.Random(f"power:{effect}:{rule.max_pairs}")
    ends = []
    for _ in range(REPEATS):
        pairs: list[Pair] = []
        seen = 0
        while not (now := gate.judge(rule, pairs, seen, 0)).verdict:
            seen = len(pairs)
            block = min(BLOCK, rule.max_pairs - seen)
            pairs += [Pair(effect + rng.gauss(0.0, 1.0), 0.0) for _ in range(block)]
        ends.append(now)
    found = sum(end.verdict is Verdict.SUPPORTED for end in ends) / REPEATS
    return Power(effect, found, sum(end.pairs for end in ends) / REPEATS)
