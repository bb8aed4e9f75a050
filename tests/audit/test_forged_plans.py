"""Forgeries of what was planned: budgets, preflights, promised follow-ups, approvals. Each is signed anew and named."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from edits import at, both, drop, place, put, without_follow_up
from forgery import rewrite, text
from labs import SECRET, Flaky, ScriptedArena, coin_study, scored
from tests.support.archives import unpack

from novum.core.engine.context import Campaign
from novum.core.model.budget import Budget, LevelSettings
from novum.core.model.study import FollowUpSettings, GateSettings, ScreeningSettings
from novum.core.model.trial_plan import Aim, Purpose
from novum.lab import verification
from novum.lab.preflight import clear
from novum.lab.session import session
from novum.ledger.key import load_key
from novum.researchers.scripted import ScriptedResearcher

GOLDEN = Path(__file__).parents[1] / "golden" / "labs"


def forged(lab, edit, arena=None):
    rewrite(lab, edit, load_key(lab, create=False))
    return verification.verify(lab, arena)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A campaign with a preflight, follow-ups of several aims, and budgets for authors and hypotheses."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "lab.secret").write_text(SECRET.hex())
    budgets = LevelSettings(hypothesis=Budget(trials=120))
    study = coin_study(budgets=budgets, follow_up=FollowUpSettings(share=0.3))
    with session(study, Budget(trials=900, cpu_seconds=3600.0), directory) as lab:
        clear(lab, directory)
        lab.run()
        assert len([one for h in lab.state.findings for one in h.follow_ups if one.closed]) > 3
    return directory


@pytest.fixture
def lab(campaign, tmp_path):
    return shutil.copytree(campaign, tmp_path / "lab")


def answer(name, **values):
    """Change one answer of the preflight, and its conclusion with it."""

    def edit(value):
        check = next(one for one in value["checks"] if one["name"] == name)
        check.update(values)
        value["ok"] = all(one["ok"] is not False for one in value["checks"])

    return at("preflight_recorded", edit)


def figures(name, **values):
    return at("preflight_recorded", lambda v: _of(v, name)["figures"].update(values))


def _of(value, name):
    return next(one for one in value["checks"] if one["name"] == name)


BEGUN, ENDED, PREFLIGHT = "session_started", "session_ended", "preflight_recorded"
BLIND = "should win and was refuted: the study may be blind"

BUDGETS = {
    "a larger budget": (at(BEGUN, lambda v: v["budget"].update(trials=5000)), "asked for another budget"),
    "a larger budget in both places": (
        both(
            at(BEGUN, lambda v: v["budget"].update(trials=5000)),
            at(PREFLIGHT, lambda v: v["budget"].update(trials=5000)),
        ),
        "the preflight's answer to 'power' is not what the runs say",
    ),
    "a budget that was not kept": (
        both(drop(PREFLIGHT), at(BEGUN, lambda v: v["budget"].update(trials=500))),
        "the lab's budget does not pay for it: ",
    ),
    "another sum at the end": (put(ENDED, reason="budget: 899 of 900 trials used"), "and what was used of it is"),
    "another bound at the end": (put(ENDED, reason="budget: 12.0 of 60 seconds used"), "and that is none of wall time"),
    "CPU time beyond the budget": (put("group_dispatched", cpu_seconds=4000.0), "the lab's budget does not pay for it"),
    "a hypothesis beyond its budget": (
        at("campaign_opened", lambda v: v["study"]["budgets"]["hypothesis"].update(trials=20)),
        "the budget of h",
    ),
    "cheaper controls": (put(PREFLIGHT, trials=1), "ended by its budget"),
    "controls that took no time": (put(PREFLIGHT, cpu_seconds=0.0), "CPU seconds 0 where"),
}

ANSWERS = {
    "the sum of them": (put(PREFLIGHT, ok=False), "recorded as failed, and nothing failed"),
    "a noise in doubt": (answer("noise", ok=None), "the preflight's answer to 'noise' is not what the runs say: open"),
    "a smaller noise": (figures("noise", sigma=0.001), "sigma 0.001 where"),
    "a range that fails": (answer("range", ok=False), "answer to 'range' is not what the runs say: NO"),
    "itself": (answer("negative control: A/A", words="E = 1"), "answer to 'negative control: A/A' is not what"),
    "more power": (figures("power", power_1_sd=1.0), "power_1_sd 1 where"),
    "another conclusion": (put(PREFLIGHT, conclusion="all is well"), "the preflight concludes that all is well, and"),
    "determinism": (answer("determinism", ok=None), "answer to 'determinism' is open, and it says: the same seed"),
    "no leak": (answer("leak", ok=True), "answer to 'leak' is yes, and it says: the arena declares no examples"),
    "a positive control": (answer("positive control", ok=False, words=BLIND), "its own record says: "),
    "a negative control": (answer("negative control", ok=None, words="open"), "its own record says: "),
    "a control without its record": (answer("positive control", record=""), "has an answer, and no record of its own"),
    "an answer left out": (
        at(PREFLIGHT, lambda v: v["checks"].remove(_of(v, "range"))),
        "does not say what it found of 'range'",
    ),
    "a control left out": (
        at(PREFLIGHT, lambda v: v["checks"].remove(_of(v, "positive control"))),
        "what the preflight cost is not what its controls took",
    ),
    "an answer twice": (
        at(PREFLIGHT, lambda v: v["checks"].append(_of(v, "range"))),
        "the preflight answers a question twice",
    ),
}

PROMISES = {
    "a replication left out": (without_follow_up("replicate"), ": the follow-up was left out"),
    "a transfer left out": (without_follow_up("transfer"), "does not follow from the evidence ledger"),
    "a promise left out": (drop("follow_ups_promised"), "without a promise of what it will be asked"),
    "a question not promised": (
        at("follow_ups_promised", lambda v: v["questions"].pop(0)),
        "and what was promised is",
    ),
    "another order": (at("follow_ups_promised", lambda v: v["questions"].reverse()), "and what was promised is"),
    "no follow-ups in the study": (
        both(
            at("campaign_opened", lambda v: v["study"]["follow_up"].update(aims=["transfer"])),
            lambda rows: rows.__delitem__(place(rows, PREFLIGHT)),
        ),
        "what was promised is again",
    ),
}


@pytest.mark.parametrize("name", [*BUDGETS, *ANSWERS, *PROMISES])
def test_a_forged_plan_is_named(lab, name):
    edit, said = {**BUDGETS, **ANSWERS, **PROMISES}[name]
    found = forged(lab, edit)
    assert not found.ok
    assert said in found.lie
    assert found.lie.startswith("event ")


def test_the_honest_plans_hold_and_what_is_open_is_said(lab):
    found = forged(lab, lambda rows: None)
    assert found.ok, found.lie
    assert any("promised or begun and open at the end of this record" in one for one in found.not_shown)


def test_the_last_replication_left_out_is_named_by_what_was_screened_instead(lab):
    """Nothing is asked after it: new candidates are screened while it would have been its turn."""
    opened = [json.loads(row[3]) for row in rows_of(lab) if row[2] == "follow_up_opened"]
    count = sum(one["aim"] == "replicate" for one in opened)

    def edit(rows):
        for nth in reversed(range(count)):
            without_follow_up("replicate", nth)(rows)
        for aim in {one["aim"] for one in opened} - {"replicate"}:
            while any(f'"aim":"{aim}"' in row[3] for row in rows if row[2] == "follow_up_opened"):
                without_follow_up(aim)(rows)

    found = forged(lab, edit)
    assert not found.ok
    assert "its share of the trials paid for that: the follow-up was left out" in found.lie


def test_a_control_that_is_not_here_is_said_not_to_be(lab):
    shutil.rmtree(lab / "preflight" / "positive-control-1")
    found = verification.verify(lab)
    assert found.ok
    assert any("positive control: their own records are not here" in one for one in found.not_shown)
    rewrite(
        lab / "preflight" / "negative-control-1",
        lambda rows: rows.pop(30),
        load_key(lab / "preflight" / "negative-control-1"),
    )
    assert any("negative control" in one for one in verification.verify(lab).not_shown), (
        "another head is another record"
    )


def rows_of(lab):
    from novum.ledger.journal import Reader

    with Reader(lab) as reader:
        return [list(row[1:5]) for row in reader.rows()]


@pytest.fixture(scope="module")
def fallen(tmp_path_factory):
    """A world where nothing holds when it is replicated: the first finding falls after a second was built on it."""
    directory = tmp_path_factory.mktemp("fallen") / "lab"

    def plan(group):
        outputs = scored(group)
        if lab.state.plan(group.id).purpose is not Purpose.FOLLOW_UP or group.candidate.genome["level"] == 0:
            return outputs
        return [dataclasses.replace(d, artefact=(300 + n).to_bytes(2, "little")) for n, d in enumerate(outputs)]

    study = coin_study(
        arena="scripted",
        gate=GateSettings(planned=3),
        screening=ScreeningSettings(keep_one_in=1, waiting=1),
        follow_up=FollowUpSettings(share=0.15, aims=(Aim.REPLICATE,)),
    )
    steps = ScriptedResearcher(({"level": 20}, {"level": 39}, *({"level": level} for level in range(1, 9))))
    with session(
        study, Budget(trials=4000), directory, problem=ScriptedArena(), researcher=steps, place=Flaky(plan), workers=1
    ) as lab:
        # The replication is to say so, and not the watch over later runs before it.
        lab.campaign = Campaign(lab.state, dataclasses.replace(lab.context, tails=None))
        lab.run()
        first, second = lab.state.findings[:2]
        assert second.retracted == f"built on {first.id}, which was retracted"
        assert [one.hypothesis for one in lab.state.incumbents[:4]] == [None, first.id, second.id, None]
    return directory


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda rows: None, ""),
        (
            lambda rows: rows.__delitem__(place(rows, "incumbent_changed", nth=3)),
            "which was retracted (",
        ),
        (
            lambda rows: _back(rows, 1),
            "the incumbent changes without a supported hypothesis or a retraction behind it",
        ),
        (without_follow_up("replicate", also=("incumbent_changed",)), "the follow-up was left out"),
    ],
)
def test_a_failed_replication_is_not_hidden(fallen, tmp_path, edit, said):
    lab = shutil.copytree(fallen, tmp_path / "lab")
    found = forged(lab, edit, ScriptedArena())
    assert found.ok is not bool(said), found.lie
    assert said in found.lie


def _back(rows, nth):
    """After the retraction another earlier incumbent comes back than the last that stands."""
    last, other = place(rows, "incumbent_changed", nth=3), place(rows, "incumbent_changed", nth=nth)
    rows[last][3] = rows[other][3]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda rows: None, ""),
        (at("approval_closed", lambda v: v.update(granted=not v["granted"])), "which is not what people answered"),
        (put("approval_closed", reason="approved by everybody"), "which is not what people answered"),
        (put("approval_asked", expires=1e9), "expires at another time than the policy says"),
        (put("approval_asked", content="00" * 32), "of another content than it is named by"),
        (lambda rows: _votes(rows), "which is not what people answered"),
    ],
)
def test_what_people_answered_cannot_be_changed(tmp_path, edit, said):
    with tarfile.open(GOLDEN / "people.tar.gz") as archive:
        unpack(archive, tmp_path)
    found = forged(tmp_path / "lab", edit)
    assert found.ok is not bool(said), found.lie
    assert said in found.lie


def _votes(rows):
    """Every answer that counted says the contrary."""
    turned = {"approve": "deny", "deny": "approve"}
    for row in rows:
        value = json.loads(row[3])
        if row[2] == "request_taken" and value.get("about"):
            row[3] = text({**value, "act": turned[value["act"]]})
