"""Error rates of the shipped gate over whole campaigns, with Monte-Carlo bounds; and gates broken on purpose."""

from __future__ import annotations

import math
import random

import pytest
from streams import beta, campaign, confirm, gaussian, rule, student3

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, Verdict
from novum.gate import eprocess
from novum.gate.eprocess import Bound
from novum.gate.judge import BettingGate

SPEC = GateSettings(alpha=0.10, planned=200, stake_floor=20, refute_pairs=0)


def bound(level, n):
    return level + 3 * math.sqrt(level * (1 - level) / n)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [gaussian, student3, beta])
def test_a_stream_of_ties_is_almost_never_called_a_discovery(noise):
    n = 40
    wrong = sum(campaign(random.Random(100 + i), SPEC, noise).accepted_false > 0 for i in range(n))
    assert wrong / n <= bound(0.10, n)


@pytest.mark.slow
def test_mixed_streams_have_power_and_few_false_findings():
    """A fifth of the hypotheses true, evenly 0.2, 0.5, 1 or 2 sd; the rest ties or harmful by 0.5 sd."""
    n = 60
    done = [campaign(random.Random(500 + i), SPEC, gaussian, share=0.20) for i in range(n)]
    found = {e: sum(c.found[e] for c in done) / sum(c.true[e] for c in done) for e in (0.5, 1.0, 2.0)}
    fdr = sum(c.accepted_false / max(1, c.accepted_false + c.accepted_true) for c in done) / n
    per_discovery = sum(c.pairs for c in done) / sum(c.accepted_true for c in done)
    assert fdr <= 0.10
    assert found[1.0] >= 0.70
    assert found[2.0] >= 0.98
    assert per_discovery <= 60


def test_a_campaign_without_the_ledger_would_be_wrong_nearly_always():
    """The uncorrected rule E >= 1/alpha on each hypothesis: the check above can tell it from the real one."""
    gate, n = BettingGate(SPEC), 20
    wrong = 0
    for i in range(n):
        rng = random.Random(900 + i)
        free = rule(SPEC, stake=1.0, sigma=1.0)
        ends = (confirm(gate, free, 0, lambda rng=rng: Pair(rng.gauss(0, 1), 0.0)) for _ in range(200))
        wrong += any(end.verdict is Verdict.SUPPORTED for end in ends)
    assert wrong / n > bound(0.10, n)


def test_a_stored_incumbent_mean_would_break_the_guarantee():
    """Comparing with the mean of five stored runs instead of paired ones: false acceptance far above nominal .05."""
    rng, n = random.Random(77), 2000
    wrong = 0
    for _ in range(n):
        stored = sum(rng.gauss(0, 1) for _ in range(5)) / 5
        gains = [(rng.gauss(0, 1) - stored) / math.sqrt(2) for _ in range(60)]
        wrong += max(eprocess.path(gains, Bound(0.0, 2.0))) >= 20
    assert wrong / n > 2 * 0.05


def test_a_data_stream_shared_between_seeds_would_break_the_guarantee():
    """Assumption vi: a common draw in all differences of a test makes them dependent."""
    rng, n = random.Random(78), 2000
    wrong = 0
    for _ in range(n):
        shared = rng.gauss(0, 0.5)
        wrong += max(eprocess.path([shared + rng.gauss(0, 0.87) for _ in range(60)], Bound(0.0, 2.0))) >= 20
    assert wrong / n > 2 * 0.05


def test_reused_screening_seeds_would_break_the_guarantee():
    """The best of 16 nulls by four seeds, confirmed on seeds that include those four, against fresh ones only."""
    rng, n = random.Random(79), 3000
    reused = fresh = 0
    for _ in range(n):
        best = max(([rng.gauss(0, 1) for _ in range(4)] for _ in range(16)), key=sum)
        tail = [rng.gauss(0, 1) for _ in range(60)]
        reused += max(eprocess.path(best + tail[:56], Bound(0.0, 2.0))) >= 20
        fresh += max(eprocess.path(tail, Bound(0.0, 2.0))) >= 20
    assert fresh / n <= bound(0.05, n)
    assert reused / n > bound(0.05, n)
