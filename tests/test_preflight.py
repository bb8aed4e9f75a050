from __future__ import annotations

import re
import shutil
import statistics
from dataclasses import replace

import programs
import pytest
from labs import ScriptedArena, coin_study, in_memory

from novum.arenas.coinflip import CoinflipArena
from novum.core.model.arena_spec import Controls
from novum.core.model.budget import Budget, LevelSettings
from novum.core.model.errors import StudyRefused
from novum.core.model.study import GateSettings, PolicyRule, PolicySettings
from novum.gate import preflight_checks as conclude
from novum.gate.power import power
from novum.lab import controls
from novum.lab.preflight import clear, preflight
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.researchers.scripted import ScriptedResearcher

PLENTY = Budget(trials=3000)


def checks(found):
    return {check.name: check for check in found.checks}


def scripted(directory, budget=PLENTY, options=None, **arena):
    study = coin_study(arena="scripted", options=options or {})
    return preflight(study, budget, directory, arena=ScriptedArena(**arena))


def test_a_sound_study_passes_and_the_answer_is_in_the_ledger(tmp_path):
    found = preflight(coin_study(), PLENTY, tmp_path)
    assert found.ok, found
    assert {name for name, check in checks(found).items() if check.ok is None} == {"leak"}
    assert "can confirm effects of" in found.conclusion
    from novum import read_lab, verify

    assert read_lab(tmp_path).preflight == found
    assert verify(tmp_path).ok
    assert all(verify(lab).ok for lab in (tmp_path / "preflight").iterdir())


def test_policies_and_shares_of_the_study_do_not_bind_its_controls(tmp_path):
    shares = LevelSettings(hypothesis=Budget(trials=79, holdout_queries=1))
    policy = PolicySettings((PolicyRule("propose", "no"),))
    found = preflight(coin_study(policy=policy, budgets=shares), PLENTY, tmp_path)
    assert found.ok, found


def test_a_hopeless_budget_is_said_to_be_so_with_what_it_would_take(tmp_path):
    found = preflight(coin_study(), Budget(trials=50), tmp_path)
    assert not found.ok
    assert checks(found)["power"].ok is False
    assert "times as much" in found.conclusion


def test_a_leaky_study_is_caught_by_its_null_control(tmp_path):
    """The change that is declared to do nothing wins: whatever is scored, it is not what was meant."""
    found = scripted(tmp_path, controls=Controls(null={"level": 39}))
    assert not found.ok
    assert "SUPPORTED" in checks(found)["negative control: null change"].words


def test_a_blind_study_is_caught_by_its_known_improvement(tmp_path):
    found = scripted(tmp_path / "blind", controls=Controls(known={"level": 1}))
    assert not found.ok
    assert "blind" in checks(found)["positive control"].words
    seeing = scripted(tmp_path / "seeing", controls=Controls(known={"level": 39}))
    assert checks(seeing)["positive control"].ok


def test_a_deterministic_study_is_named(tmp_path):
    found = scripted(tmp_path, options={"constant": True})
    assert "no noise" in checks(found)["noise"].words
    assert found.ok


def test_a_study_at_its_ceiling_is_refused(tmp_path):
    found = scripted(tmp_path, ceiling=0.53)
    assert not found.ok
    assert "from perfection" in checks(found)["range"].words


def test_of_losses_a_guess_is_the_worst_and_ratios_count():
    losses = replace(ScriptedArena().spec, higher_is_better=False, log=True, floor=1.0, ceiling=None, bounds=None)
    scattered = [0.01, 0.02, 0.04, 0.3] * 5
    assert conclude.range_left(losses, scattered).ok
    assert conclude.range_left(replace(losses, ceiling=0.01), scattered).ok is False
    assert "from a guess" in conclude.range_left(losses, [0.9, 0.95, 1.05, 1.1] * 5).words


def test_drift_over_the_order_of_runs_is_noticed():
    spec = ScriptedArena().spec
    drifting = [0.5 + 0.01 * n + 0.004 * (-1) ** n for n in range(20)]
    assert conclude.noise(spec, drifting).ok is False
    assert conclude.noise(spec, [0.5 + 0.01 * ((n * 7) % 5) for n in range(20)]).ok


@pytest.mark.parametrize(("failed", "ok"), [(0, True), (1, None), (5, False), (18, False)])
def test_failing_baselines_are_not_passed_over(failed, ok):
    scores = [None] * failed + [0.5 + 0.01 * (n % 3) for n in range(20 - failed)]
    assert conclude.noise(ScriptedArena().spec, scores).ok is ok


def test_power_grows_with_effect_and_pairs():
    gate = GateSettings(planned=12)
    table = power(gate, 120.0, 30)
    assert [row.probability for row in table] == sorted(row.probability for row in table)
    assert table[-1].probability == 1.0
    assert power(gate, 120.0, 8, [4.0])[0].probability == 0.0  # nine pairs are the fewest that can reach 120
    assert power(gate, 120.0, 60, [1.0])[0].probability >= power(gate, 120.0, 12, [1.0])[0].probability


class Leaky(ScriptedArena):
    """Declares that its trials learn from what they are scored on."""

    def examples(self, group, trial):
        return {"train": {"a", "b"}, "scored": {"b", f"{group.role}-c"}}


class Tidy(ScriptedArena):
    def examples(self, group, trial):
        return {"train": {f"{trial.seed}-a"}, "scored": {f"{trial.seed}-b"}}


@pytest.mark.parametrize(("arena", "ok"), [(Leaky(), False), (Tidy(), True)])
def test_declared_examples_are_searched_for_leaks(tmp_path, arena, ok):
    found = preflight(coin_study(arena="scripted"), PLENTY, tmp_path, arena=arena)
    assert checks(found)["leak"].ok is ok


def cleared(directory, budget, run=True):
    """The state after a session; `run=False`: one that ends where its campaign would go on."""
    with session(coin_study(), budget, directory) as lab:
        clear(lab, directory)
        if run:
            lab.run()
    return lab.state


def recorded(directory):
    with Reader(directory) as reader:
        return [r.event for r in reader.read() if r.kind == "preflight_recorded"]


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A lab with a session of 1500 trials behind it, and its state. It is copied, not used."""
    place = tmp_path_factory.mktemp("ended") / "lab"
    return place, cleared(place, Budget(trials=1500))


def test_a_run_asks_once_and_pays_for_it_from_its_budget(ended, tmp_path):
    place, state = ended
    (found,) = recorded(place)
    assert checks(found)["positive control"].ok
    assert 0 < found.trials <= 0.2 * 1500
    assert state.trials + found.trials <= 1500
    again = shutil.copytree(place, tmp_path / "lab")
    cleared(again, Budget(trials=1500))
    assert len(recorded(again)) == 1


def test_another_budget_asks_only_what_depends_on_it(ended, tmp_path):
    again = shutil.copytree(ended[0], tmp_path / "lab")
    cleared(again, Budget(trials=4000), run=False)
    first, second = recorded(again)
    assert second.trials == 0
    same = {"positive control", "negative control", "determinism", "leak"}
    assert all(checks(first)[name] == checks(second)[name] for name in same)
    assert second.budget == Budget(trials=4000)


def test_controls_that_the_budget_cannot_pay_for_are_not_asked_and_the_next_budget_asks_them(tmp_path):
    cleared(tmp_path, Budget(trials=200))
    assert checks(recorded(tmp_path)[0])["positive control"].asked is False
    assert recorded(tmp_path)[0].trials == 0
    cleared(tmp_path, Budget(trials=2000), run=False)
    assert checks(recorded(tmp_path)[1])["positive control"].ok


def test_a_refusal_ends_the_session_and_keeps_everything(tmp_path):
    with pytest.raises(StudyRefused, match="power"):
        cleared(tmp_path, Budget(trials=60))
    from novum import read_lab, verify

    state = read_lab(tmp_path)
    assert state.end_reason.startswith("refused by the preflight")
    assert not state.session_open
    assert verify(tmp_path).ok


def test_the_campaigns_own_first_runs_are_the_noise_measurement(tmp_path):
    """Nothing is measured twice: the scale that the gate uses is the one that the preflight reports."""
    state = cleared(tmp_path, Budget(trials=600))
    sigma = checks(recorded(tmp_path)[0])["noise"].figures["sigma"]
    runs = state.calibration[state.incumbents[0].candidate.id]
    assert len(runs) == 20
    assert sigma == pytest.approx(statistics.stdev(run.score for run in runs.values()) * 2**0.5)


def test_a_metric_that_nothing_moves_is_refused_by_name(tmp_path):
    found = scripted(tmp_path / "still", options={"constant": True, "deaf": True})
    assert checks(found)["metric moves"].ok is False
    assert not found.ok
    moving = scripted(tmp_path / "moving", options={"constant": True})
    assert checks(moving)["metric moves"].ok
    assert "no noise" in checks(moving)["power"].words
    assert moving.trials >= 1, "what asking cost is in the record"


def test_a_program_whose_score_never_changes_is_refused_from_the_shell(tmp_path, novum):
    """For every seed and every change the same: the scorer looks at something else than what the candidate leaves."""
    score = "import json\njson.dump({'value': 0.0, 'size': 1.0}, open('score.json', 'w'))\n"
    programs.write_program(tmp_path / "still", {"score.py": score})
    text = programs.STUDY.replace("ceiling = 0.0\n", "")
    (tmp_path / "still/study.toml").write_text(text)
    words = ("--budget", "600 trials", "--lab", tmp_path / "lab", "--workers", "1", "--plain")
    said = novum("run", tmp_path / "still", *words)
    assert said.status == 2
    assert "scored 0: nothing can be found with a metric that is always the same" in said.err
    assert "the lab has run" in novum("preflight", tmp_path / "still", *words[:-1]).out


def test_changed_candidates_that_fail_leave_the_question_open():
    assert conclude.metric_moves(0.5, [None, 0.5, None], 8).ok is None
    assert conclude.metric_moves(0.5, [0.5] * 8, 8).ok is False
    assert conclude.metric_moves(0.5, [0.5, 0.6], 8).ok


def test_a_budget_that_the_lab_has_used_already_is_no_hopeless_study(tmp_path, novum, refused):
    lab = ("--lab", tmp_path / "lab", "--workers", "1")
    assert novum("run", "coinflip", "--budget", "60 trials", "--force", *lab).status == 0
    before = novum("log", "--json", *lab[:2]).out
    said = refused("run", "coinflip", "--budget", "30 trials", *lab)
    assert re.search(r"has used \d+ trials, and --budget is the total of a campaign: try --budget '\d+ trials'", said)
    assert novum("log", "--json", *lab[:2]).out == before, "nothing is recorded"
    assert novum("run", "coinflip", "--budget", "60 trials", "--force", *lab).status == 0, (
        "the same command is no mistake"
    )


@pytest.mark.parametrize(("seconds", "ok"), [(0.02, True), (1.0, None)])
def test_what_is_hopeless_only_for_the_clock_is_not_refused(seconds, ok):
    """Trials of 20 ms of CPU time that take a second each, since others compute."""
    check, _ = conclude.reach(coin_study(), Budget(wall_seconds=10.0), seconds, 0.02, 3, 2)
    assert check.ok is ok
    assert ("on a free machine" in check.words) is (ok is None)
    assert conclude.reach(coin_study(), Budget(wall_seconds=10.0), 1.0, 1.0, 3, 2)[0].ok is False
    assert conclude.reach(coin_study(), Budget(cpu_seconds=10.0), 1.0, 1.0, 3, 2)[0].ok is False


@pytest.mark.parametrize(
    ("genome", "trials", "ok", "words"),
    [
        ({"spin": 2}, 45, None, "got no verdict within its share of the budget; it screened +"),
        ({"spin": 3}, 45, False, "should win and screened -"),
        ({"spin": 2}, 400, True, "was found"),
    ],
)
def test_a_known_improvement_is_blind_only_where_it_was_measured(genome, trials, ok, words):
    """Two standard deviations better or one worse; 45 trials pay for the screening and not for a confirmation."""
    lab = in_memory(coin_study(), Budget(trials=trials), researcher=ScriptedResearcher((genome,)))
    lab.run()
    check = controls._positive(genome)(lab.state)
    assert check.ok is ok
    assert words in check.words


def test_three_runs_are_few_and_no_failure():
    spec = CoinflipArena().spec
    few = conclude.noise(spec, [0.5, 0.52, 0.47])
    assert few.ok is None
    assert "3 runs" in few.words
    assert conclude.noise(spec, [0.5, 0.52, None]).ok is False
