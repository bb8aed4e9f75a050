from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys

import pytest
import scripted_program
from labs import SECRET, ScriptedArena, coin_study

from novum.arenas import coinflip as coin
from novum.audit.pack import write_pack
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError, LabMismatch, UserError
from novum.core.model.study import ScreeningSettings
from novum.core.model.trial import OutcomeKind, TrialOutput
from novum.core.model.trial_plan import Purpose
from novum.lab import arena_code, open_campaign
from novum.lab import replay as module
from novum.lab.replay import How, replay
from novum.lab.session import session
from novum.ledger.journal import Reader

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def coins(tmp_path_factory):
    """A small lab and the pack of its first finding."""
    directory = tmp_path_factory.mktemp("labs") / "coins"
    directory.mkdir()
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(options={"flips": 600}), Budget(trials=420), directory) as lab:
        lab.run()
        name = lab.state.findings[0].id
    write_pack(directory, name, directory / "finding.zip")
    return directory, name


def kinds(lab):
    with Reader(lab) as reader:
        return [(record.kind, record.event) for record in reader.read()]


def test_a_finding_comes_out_again_bit_for_bit_its_pairs_first(coins):
    lab, name = coins
    done = replay(name, lab)
    assert done.ok
    assert done.about == name
    assert done.notes == ()
    assert {one.how for one in done.trials} == {How.IDENTICAL}
    purposes = [one.purpose for one in done.trials]
    assert purposes[0] is Purpose.CONFIRM
    assert set(purposes) >= {Purpose.CONFIRM, Purpose.ESTIMATE, Purpose.CALIBRATE, Purpose.SCREEN}
    finished = {event.trial: event.score for kind, event in kinds(lab) if kind == "trial_finished"}
    assert all(one.recorded == finished[one.trial] == one.now for one in done.trials)


def test_a_pack_comes_out_again_in_an_empty_directory(coins, tmp_path):
    shutil.copy(coins[0] / "finding.zip", tmp_path / "h.zip")
    command = [sys.executable, "-m", "novum.cli", "replay", "h.zip", "--trials", "10", "--json"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["ok"]
    assert found["about"] == coins[1]
    assert 10 <= len(found["trials"]) <= 20
    assert [one.name for one in tmp_path.iterdir()] == ["h.zip"]


def test_a_trial_is_run_again_with_those_it_was_run_with(coins):
    done = replay("g3.0", coins[0])
    assert done.trials[0].trial == "g3.0"
    assert {one.trial.partition(".")[0] for one in done.trials} == {"g3"}
    assert replay("g3", coins[0]).trials == done.trials


def test_sealed_or_unknown_names_are_refused_in_words(coins, tmp_path):
    with pytest.raises(UserError, match="no hypothesis, trial or group 'h999'"):
        replay("h999", coins[0])
    with pytest.raises(UserError, match="--lab"):
        replay("missing.zip")
    with pytest.raises(UserError, match="no lab in"):
        replay("h1", tmp_path)
    with session(coin_study(), Budget(trials=400), tmp_path / "cut") as lab:
        while not any(one.rule and one.pairs() for one in lab.state.hypotheses.values()):
            assert lab.step()
    sealed = [e.plan for kind, e in kinds(tmp_path / "cut") if kind == "group_dispatched" and e.plan.attempt == 1]
    with pytest.raises(UserError, match="still sealed"):
        replay(sealed[0].id, tmp_path / "cut")
    assert replay(sealed[0].subject, tmp_path / "cut").ok, "its sweeps and the scale are public"


def test_what_does_not_come_out_again_is_named_and_small_differences_are_told_apart(coins, monkeypatch):
    lab, name = coins
    real = coin.run

    def loaded(bits):
        def run(group):
            flips = [int.from_bytes(one.artefact, "little") for one in real(group)]
            length = (600 + 7) // 8
            return [
                TrialOutput(trial.id, artefact=(value & ~((1 << bits) - 1)).to_bytes(length, "little"))
                for trial, value in zip(group.trials, flips, strict=True)
            ]

        return run

    monkeypatch.setattr(coin, "run", loaded(4))
    close = replay(name, lab, trials=4)
    assert close.ok
    assert close.count(How.CLOSE) > 0
    monkeypatch.setattr(coin, "run", loaded(300))
    wrong = replay(name, lab, trials=4)
    assert not wrong.ok
    assert wrong.count(How.DIFFERENT) >= 3
    assert "resolution" in next(one for one in wrong.trials if one.how is How.DIFFERENT).words

    def crash(group):
        return [TrialOutput(trial.id, failure=OutcomeKind.CRASHED, cause="no coin") for trial in group.trials]

    monkeypatch.setattr(coin, "run", crash)
    failed = replay(name, lab, trials=1)
    assert "recorded as scored, here crashed: no coin" in failed.trials[0].words
    assert not failed.ok


def test_other_code_is_refused_unless_somebody_insists(coins, monkeypatch):
    lab, name = coins
    monkeypatch.setattr(arena_code, "code_hash", lambda spec: "00")
    with pytest.raises(LabMismatch, match="--anyway"):
        replay(name, lab)
    done = replay(name, lab, trials=1, anyway=True)
    assert done.ok
    assert "code" in done.notes[0]
    monkeypatch.setattr(open_campaign, "versions", lambda problem: {"novum": "9", "abacus": "1"})
    notes = replay(name, lab, trials=1, anyway=True).notes
    assert any("abacus: recorded with none, here 1" in note for note in notes)


def test_a_pack_whose_files_are_not_the_signed_ones_is_not_replayed(coins, tmp_path):
    from zipfile import ZipFile

    from novum.audit.pack_file import write_archive

    with ZipFile(coins[0] / "finding.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    write_archive(tmp_path / "x.zip", {**files, "index.html": b"<p>"})
    with pytest.raises(IntegrityError, match=r"index\.html is not the file that was signed"):
        replay(str(tmp_path / "x.zip"))


def test_failures_come_out_alike_and_trials_of_an_arena_of_ones_own_too(tmp_path, monkeypatch):
    arena, real = ScriptedArena(), scripted_program.run

    def fragile(group):
        if group.candidate.genome["level"] % 2:
            raise RuntimeError("odd")
        return real(group)

    monkeypatch.setattr(scripted_program, "run", fragile)
    with session(coin_study(arena="scripted"), Budget(trials=120), tmp_path, problem=arena) as lab:
        lab.run()
        failed = next(event for event, _ in lab.state.failures if event.kind is OutcomeKind.CRASHED)
    done = replay(failed.trial, tmp_path, arena=arena)
    assert done.ok
    assert done.count(How.FAILED_ALIKE) == len(done.trials)
    monkeypatch.setattr(scripted_program, "run", real)
    assert "recorded as crashed, here scored" in replay(failed.trial, tmp_path, arena=arena).trials[0].words
    with pytest.raises(UserError, match="scripted"):
        replay(failed.trial, tmp_path)


def test_the_command_prints_each_trial_and_ends_with_one_when_something_differs(coins):
    lab, name = coins
    code = (
        "from novum.arenas import coinflip as trial; from novum.core.model.trial import TrialOutput; "
        "trial.run = lambda group: [TrialOutput(t.id, artefact=bytes(75)) for t in group.trials]; "
        "from novum.cli.app import main; main()"
    )
    command = [sys.executable, "-c", code, "replay", name, "--lab", str(lab), "--trials", "2"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.returncode == 1, shown.stderr
    assert "different" in shown.stdout
    assert "Traceback" not in shown.stderr


@needs_torch
def test_trained_models_come_out_again_bit_for_bit(tmp_path):
    """Trials trained as one population, in the same population again."""
    options = {"steps": 6, "held_out": 8, "batch": 2, "width": 8}
    study = coin_study(arena="recall", options=options, screening=ScreeningSettings(seeds=2, first_seeds=2))
    with session(study, Budget(trials=16), tmp_path) as lab:
        lab.run()
    groups = [event.plan for kind, event in kinds(tmp_path) if kind == "group_dispatched"]
    assert len(groups[0].members) > 1
    done = replay(groups[0].id, tmp_path)
    assert [one.how for one in done.trials] == [How.IDENTICAL] * len(groups[0].members)
    assert done.notes == ()


def test_the_order_of_purposes_is_complete():
    assert set(module._ORDER) == set(Purpose)
