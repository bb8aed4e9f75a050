"""What an owner could change in the plan of the evidence, in a claim, in an arm or in a tail: all of it is named."""

from __future__ import annotations

import json
import shutil

import pytest
from forgery import forge, rewrite, text
from labs import SECRET, coin_study

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.budget import Budget
from novum.core.model.study import GateSettings
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.ledger.key import load_key


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A lab whose ledger is planned from the budget, with arms of several members."""
    directory = tmp_path_factory.mktemp("planned")
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(seed=5, gate=GateSettings()), Budget(trials=600), directory, workers=4) as lab:
        lab.run()
    return directory


@pytest.fixture
def lab(original, tmp_path):
    copy = tmp_path / "lab"
    shutil.copytree(original, copy)
    return copy


def test_a_planned_record_with_arms_holds(lab):
    found = verification.verify(lab)
    assert found.ok, found.lie
    with Reader(lab) as reader:
        opened = [record.event for record in reader.read() if isinstance(record.event, ConfirmationOpened)]
    assert len({rule.arm for rule in opened}) < len(opened)


@pytest.mark.parametrize(
    ("kind", "edit", "said"),
    [
        ("evidence_planned", lambda v: v.update(count=v["count"] - 1), "does not follow from the budget"),
        ("evidence_planned", lambda v: v.update(kept=0.0, cash=1.0), "does not follow from the budget"),
        ("evidence_planned", lambda v: v.update(least=7), "does not follow from the budget"),
        ("confirmation_opened", lambda v: v.update(claim="mean"), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(loss=2.0), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(floor=0.0), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(optimism=9.0), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(interval="sequence"), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(sigma=v["sigma"] * 2), "does not follow from the study"),
        ("confirmation_opened", lambda v: v.update(arm="h999:1"), "not open to it"),
    ],
)
def test_a_lie_about_plan_claim_or_arm_is_named(lab, kind, edit, said):
    at = forge(lab, kind, edit)
    found = verification.verify(lab)
    assert not found.ok
    assert found.lie.startswith(f"event {at}")
    assert said in found.lie


def test_a_member_that_takes_seeds_of_its_own_is_named(lab):
    """It keeps its name in the arm and commits to another key: its runs would not be those of the others' seeds."""
    seen = []

    def edit(rows):
        arms = set()
        for number, row in enumerate(rows):
            if row[2] != "confirmation_opened":
                continue
            rule = json.loads(row[3])
            if rule["arm"] in arms and not seen:
                rule["key_commitment"] = "0" * 64
                row[3] = text(rule)
                seen.append(number + 1)
            arms.add(rule["arm"])

    rewrite(lab, edit, load_key(lab, create=False))
    found = verification.verify(lab)
    assert seen
    assert not found.ok
    assert f"event {seen[0]}" in found.lie


def test_a_retraction_that_no_run_asks_for_is_named(lab):
    """An owner who would rather not have a finding invents losses of it."""

    def edit(rows):
        place, row = next((n, row) for n, row in enumerate(rows) if row[2] == "finding_recorded")
        name = json.loads(row[3])["hypothesis"]
        invented = {
            "hypothesis": name, "runs": 8, "mean": -1.0, "wanted": 0.1, "worst": -3.0, "losses": 2, "e_value": 1.0,
        }  # fmt: skip
        follows = next(n for n, row in enumerate(rows) if n > place and row[2] == "trial_finished")
        rows.insert(follows + 1, [row[0], "gate", "tail_refuted", text(invented)])

    rewrite(lab, edit, load_key(lab, create=False))
    found = verification.verify(lab)
    assert not found.ok
    assert "does not follow from its later runs" in found.lie
