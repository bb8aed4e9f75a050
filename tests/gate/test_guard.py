"""Guardrails: a violated one lets a claim pass with probability beta at most, a kept one does not stand in its way."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from streams import confirm, rule

from novum.core.events.verdicts import Guard
from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair, Verdict
from novum.gate import eprocess, guardrail
from novum.gate.judge import BettingGate

SETTINGS = GateSettings(planned=20, max_pairs=40)
GATE = BettingGate(SETTINGS)
SLOWER = Guard("cpu_seconds", higher_is_better=False, log=True, margin=0.0953, scale=0.0953)  # a factor of 1.1
RULE = replace(rule(SETTINGS, stake=0.05, sigma=1.0), guards=(SLOWER,))


def trial(rng, effect, factor, noise=0.05):
    slow = factor * 2.718281828 ** rng.gauss(0, noise)
    return Pair(effect + rng.gauss(0, 1), 0.0, {"cpu_seconds": (slow, 1.0)})


def ends(effect, factor, repeats=300, noise=0.05):
    rng = random.Random(f"{effect}:{factor}")
    return [confirm(GATE, RULE, 0, lambda: trial(rng, effect, factor, noise)) for _ in range(repeats)]


def test_a_gain_within_the_margin_is_supported():
    found = [end for end in ends(2.0, 1.0) if end.verdict is Verdict.SUPPORTED]
    assert len(found) > 270
    assert all(end.guards[0].e_value >= 10 for end in found)


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.3])
def test_a_violated_guardrail_passes_at_most_beta_of_the_time(noise):
    """Exactly on the margin is the hardest violation; the claim itself is true and large."""
    results = ends(3.0, 1.1, repeats=400, noise=noise)
    passed = sum(end.verdict is Verdict.SUPPORTED for end in results)
    assert passed / 400 <= 0.10 + 3 * (0.1 * 0.9 / 400) ** 0.5


def test_a_clear_violation_refutes_the_claim_and_says_which_guardrail():
    results = ends(3.0, 1.5)
    assert sum(end.verdict is Verdict.REFUTED for end in results) > 280
    assert "cpu_seconds" in next(end.reason for end in results if end.verdict is Verdict.REFUTED)


def test_a_failed_candidate_counts_against_its_guardrails_in_full():
    pairs = [Pair(None, 1.0, {"cpu_seconds": (None, 1.0)}), Pair(1.0, None, {"cpu_seconds": (1.0, None)}), Pair(1, 1)]
    assert guardrail.differences(SLOWER, pairs) == [-SLOWER.margin - SLOWER.scale]


def test_a_guardrail_without_observations_never_lets_a_claim_pass():
    end = confirm(GATE, RULE, 0, lambda: Pair(3.0, 0.0))
    assert end.verdict is Verdict.INCONCLUSIVE
    assert "guardrail" in end.reason


def test_watching_is_the_e_process_of_the_shifted_gain():
    pairs = [Pair(0, 0, {"cpu_seconds": (1.0, 1.0)})] * 3
    seen = guardrail.watch(SLOWER, pairs, eprocess.path)
    assert seen.e_value == pytest.approx(1.3 * (1 + min(0.9, 1 / 1.11)) * 1.9)
    assert (seen.observations, seen.mean, seen.against) == (3, 0.0, 1.0)
