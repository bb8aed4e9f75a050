from __future__ import annotations

import pytest
from labs import ScriptedArena, coin_study

from novum.core.nouns import Controls
from novum.core.study import Budget, GateSettings
from novum.gate import preflight as conclude
from novum.gate.power import power
from novum.preflight import preflight, record_preflight

PLENTY = Budget(trials=3000)


def checks(found):
    return {check.name: check for check in found.checks}


def scripted(directory, budget=PLENTY, options=None, **arena):
    study = coin_study(arena="scripted", options=options or {})
    return preflight(study, budget, directory, arena=ScriptedArena(**arena))


def test_a_sound_study_passes_and_the_answer_is_in_the_ledger(tmp_path):
    found = record_preflight(coin_study(), PLENTY, tmp_path)
    assert found.ok, found
    assert all(check.ok for check in found.checks)
    assert "can confirm effects of" in found.conclusion
    from novum import read_lab, verify

    assert read_lab(tmp_path).preflight == found
    assert verify(tmp_path).ok
    assert all(verify(lab).ok for lab in (tmp_path / "preflight").iterdir())


def test_a_hopeless_budget_is_said_to_be_so_with_what_it_would_take(tmp_path):
    found = preflight(coin_study(), Budget(trials=50), tmp_path)
    assert not found.ok
    assert checks(found)["power"].ok is False
    assert "times as much" in found.conclusion


def test_a_leaky_study_is_caught_by_its_null_control(tmp_path):
    """The change that is declared to do nothing wins: whatever is scored, it is not what was meant."""
    found = scripted(tmp_path, controls=Controls(null={"level": 39}))
    assert not found.ok
    assert "SUPPORTED" in checks(found)["negative control"].words


def test_a_blind_study_is_caught_by_its_known_improvement(tmp_path):
    found = scripted(tmp_path, controls=Controls(known={"level": 1}))
    assert not found.ok
    assert "blind" in checks(found)["positive control"].words
    seeing = scripted(tmp_path, controls=Controls(known={"level": 39}))
    assert checks(seeing)["positive control"].ok


def test_a_deterministic_study_is_named(tmp_path):
    found = scripted(tmp_path, options={"constant": True})
    assert "no noise" in checks(found)["noise"].words
    assert found.ok


def test_a_study_at_its_ceiling_is_refused(tmp_path):
    found = scripted(tmp_path, ceiling=0.53)
    assert not found.ok
    assert "from perfection" in checks(found)["range"].words


def test_drift_over_the_order_of_runs_is_noticed():
    card = ScriptedArena().card
    drifting = [0.5 + 0.01 * n + 0.004 * (-1) ** n for n in range(20)]
    assert conclude.noise(card, drifting).ok is False
    assert conclude.noise(card, [0.5 + 0.01 * ((n * 7) % 5) for n in range(20)]).ok


@pytest.mark.parametrize("failed", [1, 18])
def test_failing_baselines_are_not_passed_over(failed):
    scores = [None] * failed + [0.5 + 0.01 * (n % 3) for n in range(20 - failed)]
    assert conclude.noise(ScriptedArena().card, scores).ok is False


def test_power_grows_with_effect_and_pairs():
    gate = GateSettings(planned=12)
    table = power(gate, 120.0, 30)
    assert [row.probability for row in table] == sorted(row.probability for row in table)
    assert table[-1].probability == 1.0
    assert power(gate, 120.0, 8, [4.0])[0].probability == 0.0  # nine pairs are the fewest that can reach 120
    assert power(gate, 120.0, 60, [1.0])[0].probability >= power(gate, 120.0, 12, [1.0])[0].probability
