"""Effects and intervals of findings: they agree with the verdict, and cover as promised over the selected."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import rule

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Estimand, Pair, Verdict
from novum.gate.judge import BettingGate
from novum.gate.selective_interval import balanced

SETTINGS = GateSettings(planned=20)
GATE = BettingGate(SETTINGS)
RULE = rule(SETTINGS, stake=0.05, sigma=1.0)


def finding(rng, effect, one=RULE):
    """Differences of a supported claim with its fresh ones, how many the verdict used, and its threshold."""
    while True:
        pairs = []
        while not (now := GATE.judge(one, pairs, len(pairs), 0)).verdict:
            pairs.append(Pair(rng.gauss(effect, 1), 0.0))
        if now.verdict is Verdict.SUPPORTED:
            fresh = [Pair(rng.gauss(effect, 1), 0.0) for _ in range(SETTINGS.estimate_pairs)]
            return [*pairs[: now.pairs], *fresh], now.pairs, now.threshold


def test_intervals_of_findings_agree_with_their_verdicts_and_cover():
    rng, n, missed, zero, widths = random.Random(6), 60, 0, 0, []
    for _ in range(n):
        size = GATE.size(RULE, *finding(rng, 1.0))
        low, high = size.interval
        assert low <= size.effect <= high
        missed += not low <= 1.0 <= high
        zero += low <= 0.0
        widths.append(high - low)
    assert missed / n <= 0.10
    assert zero / n <= 0.15
    assert sorted(widths)[n // 2] < 1.8


def test_an_interval_is_narrower_than_the_sequence_of_the_fresh_pairs_alone():
    pairs, judged, bar = finding(random.Random(7), 1.0)
    mine = GATE.size(RULE, pairs, judged, bar).interval
    alone = GATE.size(replace(RULE, interval="sequence"), pairs, judged, bar).interval
    assert mine[1] - mine[0] < alone[1] - alone[0]


def test_without_fresh_pairs_there_is_no_size():
    pairs, judged, bar = finding(random.Random(8), 2.0)
    size = GATE.size(RULE, pairs[:judged], judged, bar)
    assert (size.effect, size.interval, size.pairs) == (None, None, 0)


def test_the_effect_is_of_what_is_claimed():
    """One fresh pair is a disaster: the mean takes it in full, the typical gain as 2 sd."""
    pairs, judged, bar = finding(random.Random(9), 2.0)
    pairs = [*pairs[:judged], *[Pair(2.0, 0.0)] * 7, Pair(-20.0, 0.0)]
    mean = GATE.size(replace(RULE, claim=Estimand.MEAN, loss=15.0), pairs, judged, bar)
    typical = GATE.size(RULE, pairs, judged, bar)
    assert mean.effect == pytest.approx((7 * 2.0 - 20.0) / 8)
    assert typical.effect == pytest.approx(2.0 - 2.0 / 7)


@settings(deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=12), st.floats(0.1, 5), st.floats(-5, 5))
def test_the_balance_moves_with_the_differences_and_lies_among_them(values, scale, shift):
    middle = balanced(values, scale)
    assert min(values) <= middle <= max(values)
    assert balanced([value + shift for value in values], scale) == pytest.approx(middle + shift, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_where_nothing_is_clipped_the_balance_is_the_mean(values):
    assert balanced(values, 10.0) == pytest.approx(sum(values) / len(values), abs=1e-9)
