"""Equal compute: the measured mean ratio of a confirmation's pairs is held to the margin, and told."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from streams import confirm, rule

from novum.core.events.verdicts import Guard
from novum.core.model.metric import COMPUTE
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, Verdict
from novum.gate import guardrail
from novum.gate.eprocess import path
from novum.gate.judge import BettingGate

GUARD = Guard(COMPUTE, False, True, math.log(1.05), 0.1)
BAR = 10.0


def pairs(ratio: float, n: int, noise: float = 0.03, seed: int = 0) -> list[Pair]:
    rng = random.Random(seed)
    return [Pair(1.0, 0.0, {COMPUTE: (ratio * math.exp(rng.gauss(0, noise)), 1.0)}) for _ in range(n)]


def outcome(found: list[Pair]) -> tuple[bool, bool]:
    seen = guardrail.watch(GUARD, found, path)
    return guardrail.is_kept(GUARD, found, seen, BAR), guardrail.is_broken(GUARD, found, seen, BAR)


@pytest.mark.parametrize("seed", range(20))
def test_equal_compute_is_kept_and_ten_times_as_much_is_broken_at_once(seed):
    assert outcome(pairs(1.0, 8, seed=seed)) == (True, False)
    assert outcome(pairs(0.5, 8, seed=seed)) == (True, False)
    assert outcome(pairs(10.0, 3, seed=seed)) == (False, True)
    assert outcome(pairs(1.3, 8, seed=seed)) == (False, True)


def test_nothing_is_kept_before_it_was_measured():
    assert outcome([]) == (False, False)
    assert outcome(pairs(1.0, 1)) == (False, False)


def test_noise_of_short_trials_refuses_equal_compute_rarely_and_a_tenth_more_is_kept_rarely_where_trials_are_long():
    """500 confirmations of 12 pairs; sd .1 of short trials as measured on two busy cores, .02 of long ones."""
    equal = [outcome(pairs(1.0, 12, noise=0.14, seed=seed)) for seed in range(500)]
    dearer = [outcome(pairs(1.1, 12, noise=0.03, seed=seed)) for seed in range(500)]
    assert sum(kept for kept, _ in equal) >= 0.95 * len(equal)
    assert sum(kept for kept, _ in dearer) <= 0.05 * len(dearer)


def test_what_is_measured_is_no_evidence():
    seen = guardrail.watch(GUARD, pairs(1.0, 8), path)
    assert (seen.e_value, seen.against, seen.observations) == (1.0, 1.0, 8)
    assert abs(seen.mean) < 0.05


def test_a_failed_candidate_keeps_nothing():
    failed = [Pair(None, 0.0, {COMPUTE: (None, 1.0)})] * 4
    assert outcome([*pairs(1.0, 4), *failed]) == (False, False)


@pytest.mark.parametrize("seed", range(10))
def test_a_gain_at_too_much_compute_is_refused_soon_and_one_at_equal_compute_is_not(seed):
    """A clear gain at 1.12 times the compute is not run to its last pair; one at equal compute is supported."""
    registered = replace(rule(GateSettings(planned=20), stake=0.5, sigma=1.0), guards=(GUARD,))
    gate = BettingGate(GateSettings(planned=20))
    for ratio, verdict in ((1.12, Verdict.REFUTED), (1.0, Verdict.SUPPORTED)):
        found = iter([replace(one, candidate=3.0) for one in pairs(ratio, registered.max_pairs, seed=seed)])
        ended = confirm(gate, registered, 0, lambda found=found: next(found))
        assert ended.verdict is verdict, ended.reason
        assert ended.pairs <= 12
