from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from forgery import forge
from labs import SECRET, ScriptedArena, coin_study

from novum.core.model.budget import Budget
from novum.lab import verification
from novum.lab.session import session


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(), Budget(trials=600), directory) as lab:
        lab.run()
    return directory


@pytest.fixture
def lab(original, tmp_path):
    copy = tmp_path / "lab"
    shutil.copytree(original, copy)
    return copy


def change(lab, statement, *values):
    with sqlite3.connect(lab / "lab.db") as db:
        db.execute(statement, values)
    db.close()


def test_an_honest_record_holds_and_every_verdict_is_judged_again(lab):
    result = verification.verify(lab)
    assert result.ok, result.lie
    assert result.verdicts > 2
    assert 560 <= result.trials <= 600
    assert result.scores > 200


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET payload = replace(payload, '\"score\":0.5', '\"score\":0.9') WHERE seq = {seq}", "hash"),
        ("UPDATE events SET time = time + 1 WHERE seq = {seq}", "hash"),
        ("UPDATE events SET actor = 'nobody' WHERE seq = {seq}", "hash"),
        ("UPDATE events SET kind = 'proposal_refused' WHERE seq = {seq}", "hash"),
        ("DELETE FROM events WHERE seq = {seq}", "missing"),
        ("UPDATE events SET hash = '00' WHERE seq = {seq}", "hash"),
    ],
)
def test_a_change_of_one_event_is_named(lab, statement, said):
    with sqlite3.connect(lab / "lab.db") as db:
        seq = db.execute("SELECT seq FROM events WHERE payload LIKE '%\"score\":0.5%' LIMIT 1 OFFSET 20").fetchone()[0]
    db.close()
    change(lab, statement.format(seq=seq))
    result = verification.verify(lab)
    assert not result.ok
    assert f"event {seq}" in result.lie or f"event {seq + 1}" in result.lie
    assert said in result.lie


def test_two_events_that_changed_places_are_named(lab):
    change(lab, "UPDATE events SET seq = -1 WHERE seq = 50")
    change(lab, "UPDATE events SET seq = 50 WHERE seq = 51")
    change(lab, "UPDATE events SET seq = 51 WHERE seq = -1")
    result = verification.verify(lab)
    assert not result.ok
    assert "event 50" in result.lie


@pytest.mark.parametrize(
    ("kind", "edit", "said"),
    [
        ("trial_finished", lambda v: v.update(score=0.999), "its artefact scores"),
        ("trial_finished", lambda v: v.update(artefact=None), "no artefact"),
        ("trial_finished", lambda v: v.update(group="g99999"), "not in flight"),
        ("verdict_reached", lambda v: v.update(e_value=1e6), "its outcomes give"),
        ("verdict_reached", lambda v: v.update(verdict="supported"), "was called supported"),
        ("verdict_reached", lambda v: v.update(cash=0.123), "does not add up"),
        ("verdict_reached", lambda v: v.update(key="00" * 32), "not the one that was committed to"),
        ("verdict_reached", lambda v: v.update(threshold=1.0), "its outcomes give"),
        ("confirmation_opened", lambda v: v.update(stake=0.5), "does not follow from the evidence ledger"),
        ("confirmation_opened", lambda v: v.update(key_commitment="00"), "committed"),
        ("confirmation_opened", lambda v: v.update(scale=v["scale"] / 10), "does not follow from the study"),
        ("scale_measured", lambda v: v.update(sigma=v["sigma"] / 2), "does not follow from the calibration runs"),
        ("follow_up_closed", lambda v: v.update(verdict="refuted"), "was called refuted"),
        ("follow_up_closed", lambda v: v.update(key="00" * 32), "not the one that was committed to"),
        ("follow_up_opened", lambda v: v["rule"].update(dmin=9.0), "does not follow from the finding"),
        ("verdict_reached", lambda v: v.update(refund=0.5), "does not add up"),
        ("verdict_reached", lambda v: v.update(crashes=7), "its outcomes give"),
        ("verdict_reached", lambda v: v.update(mean=0.9), "its outcomes give"),
        ("verdict_reached", lambda v: v.update(hypothesis="h999"), "contradicts"),
        ("verdict_reached", lambda v: v.update(key="ab"), "too early or not at all"),
        ("candidate_tuned", lambda v: v.update(score=0.99), "does not follow from its sweep"),
        ("trial_finished", lambda v: v.update(member=99), "is no trial of"),
        ("trial_finished", lambda v: v.update(artefact="hex:zz"), "contradicts"),
        ("incumbent_changed", lambda v: v.update(hypothesis="h999"), ""),
        ("finding_recorded", lambda v: v.update(interval=[0.1, 0.2]), "does not follow from its fresh pairs"),
        ("finding_recorded", lambda v: v.update(effect=1.0), "does not follow from its fresh pairs"),
        ("group_dispatched", lambda v: v["plan"].update(subject="h999"), "in the name of another"),
        ("hypothesis_registered", lambda v: v.pop("candidate"), "payload is not a"),
    ],
)
def test_a_lie_with_a_freshly_computed_chain_is_still_named(lab, kind, edit, said):
    settled = kind == "verdict_reached" and said in ("was called supported", "not the one that was committed to")
    forge(lab, kind, edit, only='"verdict":"refuted"' if settled else "")
    result = verification.verify(lab)
    assert not result.ok
    assert said in result.lie
    assert result.lie.startswith("event ")


def test_a_missing_blob_would_be_named(tmp_path):
    study = coin_study(options={"flips": 1000})
    with session(study, Budget(trials=60), tmp_path) as running:
        running.run()
    assert verification.verify(tmp_path).ok
    blob = next(path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"\x00" + blob.read_bytes()[1:])
    result = verification.verify(tmp_path)
    assert not result.ok
    assert "altered" in result.lie


def test_a_record_cut_at_the_end_is_a_shorter_honest_record(lab):
    """A chain cannot show that its end is missing; the head, published in time, can."""
    whole = verification.verify(lab)
    change(lab, "DELETE FROM events WHERE seq > 100")
    cut = verification.verify(lab)
    assert cut.ok
    assert cut.head != whole.head


def test_an_incumbent_without_a_verdict_is_named(lab):
    """The event that crowned a winner, moved onto a hypothesis that was never judged."""

    def crown_another(value):
        value.update(hypothesis="h2")

    forge(lab, "incumbent_changed", crown_another, only='"hypothesis":"h')
    result = verification.verify(lab)
    assert not result.ok
    assert "incumbent" in result.lie


def test_a_lab_with_an_arena_of_ones_own_can_be_verified(tmp_path):
    arena = ScriptedArena()
    with session(coin_study(arena="scripted"), Budget(trials=200), tmp_path, problem=arena) as running:
        running.run()
    without = verification.verify(tmp_path)
    assert without.ok
    assert "not computed again" in without.notes[0]
    assert verification.verify(tmp_path, arena).scores > 100


def test_a_closed_lab_can_be_verified_on_read_only_storage(original):
    """No log beside the database and no right to make one: what an archive or a mounted pack looks like."""
    script = (
        "import os, sys; from novum import api; api.verify(sys.argv[2]); "  # first as root, which loads the code
        "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534); "
        "print(api.verify(sys.argv[1]).ok)"
    )
    if os.getuid() != 0:
        pytest.skip("needs root to become somebody else")
    # Not below pytest's directory, which every other run of pytest closes to other users.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        lab = shutil.copytree(original, Path(place) / "lab")
        for path in (lab, *lab.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        shown = subprocess.run(
            [sys.executable, "-c", script, str(lab), str(original)], capture_output=True, text=True, check=False
        )
    assert shown.stdout.strip() == "True", shown.stderr
