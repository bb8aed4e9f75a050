from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import confirm, rule

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, Verdict
from novum.gate import estimate
from novum.gate.eprocess import Bound
from novum.gate.judge import BettingGate, difference

SETTINGS = GateSettings(planned=20)
GATE = BettingGate(SETTINGS)
RULE = rule(SETTINGS, stake=0.05, sigma=1.0)


def pairs(*gains):
    return [Pair(gain, 0.0) for gain in gains]


def test_a_clear_improvement_is_supported_and_a_clear_loss_refuted():
    assert confirm(GATE, RULE, 0, lambda: Pair(3.0, 0.0)).verdict is Verdict.SUPPORTED
    lost = confirm(GATE, RULE, 0, lambda: Pair(-3.0, 0.0))
    assert lost.verdict is Verdict.REFUTED
    assert lost.against >= 10


def test_an_identical_candidate_is_never_supported():
    """Not even after a million discoveries, when the evidence ledger alone would ask for less than E = 1."""
    end = confirm(GATE, RULE, 10**6, lambda: Pair(0.5, 0.5))
    assert end.verdict is not Verdict.SUPPORTED
    assert end.e_value == 1.0
    assert end.threshold == 1 / RULE.alpha


def test_lower_is_better_mirrors_the_scores():
    down = replace(RULE, higher_is_better=False)
    assert difference(Pair(1.0, 3.0), down) == 2.0
    assert confirm(GATE, down, 0, lambda: Pair(0.0, 3.0)).verdict is Verdict.SUPPORTED


def test_a_crash_of_the_candidate_counts_as_the_full_loss_and_two_block_support():
    assert difference(Pair(None, 0.0), RULE) == -RULE.scale
    assert difference(Pair(None, None), RULE) == -RULE.scale
    wins = [Pair(3.0, 0.0)] * 30
    one = GATE.judge(RULE, [Pair(None, 0.0), *wins[:29]], 0, 0)
    assert one.verdict is Verdict.SUPPORTED
    assert one.crashes == 1
    two = GATE.judge(RULE, [Pair(None, 0.0), Pair(None, 0.0), *wins[:28]], 0, 0)
    assert two.verdict is Verdict.INCONCLUSIVE
    assert "unstable" in two.reason


def test_a_crash_of_the_incumbent_earns_nothing():
    assert difference(Pair(5.0, None), RULE) == 0.0


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 3))
def test_the_verdict_is_the_first_one_and_later_pairs_do_not_change_it(gains, extra, discoveries):
    first = GATE.judge(RULE, pairs(*gains), 0, discoveries)
    longer = GATE.judge(RULE, pairs(*gains, *([5.0] * extra)), 0, discoveries)
    if first.verdict is Verdict.SUPPORTED:
        assert longer == first


def test_a_claim_that_may_still_be_supported_is_not_refuted():
    """A small true gain raises both processes; refutation waits until support is out of reach."""
    gains = [0.45, 0.4, 0.5, 0.42, 0.48] * 5
    loose = replace(RULE, max_pairs=60)
    both = GATE.judge(loose, pairs(*gains), len(gains), 0)
    assert both.against >= 1 / RULE.beta
    assert both.verdict is None
    assert GATE.judge(replace(RULE, max_pairs=25), pairs(*gains), 25, 0).verdict is Verdict.REFUTED


def test_a_threshold_that_fell_is_held_against_the_present_evidence_only():
    """E once stood above the new threshold, but has come down since: that past may not be cashed in."""
    gains = [3.0] * 6 + [-3.0] * 2
    high = max(e for e in _path(gains))
    fallen = replace(RULE, stake=1 / (RULE.alpha * (high - 1)), max_pairs=60)
    peeking = GATE.judge(fallen, pairs(*gains), 0, 0)
    honest = GATE.judge(fallen, pairs(*gains), len(gains), 0)
    assert peeking.verdict is Verdict.SUPPORTED
    assert honest.verdict is None


def _path(gains):
    from novum.gate import eprocess

    return eprocess.path(gains, Bound(RULE.delta, RULE.scale))


def test_futility_ends_a_null_early_and_never_before_the_second_pair():
    short = replace(RULE, refute_pairs=0)
    rng = random.Random(5)
    ends = [confirm(GATE, short, 0, lambda: Pair(rng.gauss(0, 1), 0.0)) for _ in range(300)]
    assert min(end.pairs for end in ends) >= 2
    assert sum(end.pairs for end in ends) / len(ends) < 7
    assert {end.verdict for end in ends if end.reason.startswith("futile")} == {Verdict.INCONCLUSIVE}


@pytest.mark.slow
def test_refutation_is_right_about_the_bound():
    """A true gain of delta + dmin is refuted in at most beta of the cases."""
    eager = replace(RULE, refute_pairs=30)
    rng = random.Random(6)
    n = 400
    wrong = sum(
        confirm(GATE, eager, 0, lambda: Pair(rng.gauss(1.0, 1), 0.0)).verdict is Verdict.REFUTED for _ in range(n)
    )
    assert wrong / n <= 0.10 + 3 * (0.1 * 0.9 / n) ** 0.5
    nulls = sum(
        confirm(GATE, eager, 0, lambda: Pair(rng.gauss(0, 1), 0.0)).verdict is Verdict.REFUTED for _ in range(n)
    )
    assert nulls / n > 0.75


def test_all_registered_pairs_used_is_a_reason():
    tight = replace(RULE, max_pairs=3, stake=1e-6)
    end = GATE.judge(tight, pairs(2.0, 2.0, 2.0), 2, 0)
    assert (end.verdict, end.pairs) == (Verdict.INCONCLUSIVE, 3)


@pytest.mark.parametrize("shape", ["gauss", "uniform"])
def test_the_confidence_sequence_covers_and_the_fresh_estimate_is_unbiased(shape):
    rng = random.Random(7)
    draw = (lambda: rng.gauss(0.7, 1)) if shape == "gauss" else (lambda: rng.uniform(-1, 2.4))
    covered, means, repeats = 0, [], 300
    for _ in range(repeats):
        gains = [draw() for _ in range(8)]
        low, high = estimate.interval(gains, 2.0, 0.90)
        covered += low <= 0.7 <= high
        means.append(estimate.mean(gains))
    assert covered / repeats >= 0.90
    assert estimate.mean(means) == pytest.approx(0.7, abs=4 / (8 * repeats) ** 0.5)


def test_an_interval_needs_enough_pairs_to_exclude_anything():
    assert estimate.interval([1.0] * 5, 2.0, 0.90) is None
    assert estimate.interval([1.0] * 6, 2.0, 0.90) is not None


def test_estimate_of_no_pairs_is_empty():
    assert GATE.size(RULE, [], 0, RULE.threshold).effect is None


def test_losses_are_compared_by_their_ratio():
    """A ten per cent lower loss is the same gain at any level of the loss; a log card mirrors lower-is-better."""
    lost_trials = replace(RULE, log=True, higher_is_better=False)
    assert difference(Pair(0.9, 1.0), lost_trials) == pytest.approx(difference(Pair(0.09, 0.1), lost_trials))
    assert difference(Pair(0.9, 1.0), lost_trials) > 0
    end = confirm(GATE, replace(lost_trials, scale=0.2, sigma=0.1, dmin=0.1), 0, lambda: Pair(0.5, 1.0))
    assert end.verdict is Verdict.SUPPORTED


def test_the_symmetric_process_is_selectable_by_the_rule():
    fair = replace(RULE, process="symmetric", scale=1e-9)
    assert confirm(GATE, fair, 0, lambda: Pair(1.0, 0.0)).verdict is Verdict.SUPPORTED
    assert confirm(GATE, fair, 0, lambda: Pair(0.5, 0.5)).e_value == 1.0
