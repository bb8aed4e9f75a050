"""The holdout in the running lab: a query is paid for before its answer, answers are coarse, at zero it closes."""

from __future__ import annotations

import dataclasses

import pytest
from forgery import forge
from labs import Flaky, ScriptedArena, coin_study, events, in_memory, scored

from novum import verify
from novum.core.events.verdicts import HoldoutAnswered, HoldoutAsked, HoldoutClosed, HoldoutOpened
from novum.core.model.budget import Budget
from novum.core.model.study import FollowUpSettings, GateSettings, HoldoutSettings, ScreeningSettings
from novum.core.model.trial import Role
from novum.gate.holdout_service import LabHoldoutService
from novum.lab.session import session
from novum.researchers.scripted import ScriptedResearcher

ROWS = 400


@dataclasses.dataclass
class Fixed(ScriptedArena):
    """Reads 400 fixed examples; a candidate of level 39 is better on all parts, one of level 20 on the gate's alone."""

    read: list = dataclasses.field(default_factory=list)

    @property
    def spec(self):
        return dataclasses.replace(super().spec, fixed_data=True)

    def per_example(self, group, trial, artefact, role):
        self.read.append(role)
        level = int(group.candidate.genome["level"])
        share = {0: 0.6, 39: 0.9}.get(level, 0.9 if role is Role.GATE else 0.6)
        # Examples come in no particular order of difficulty, and the worse reads a part of what the better reads.
        return [float((7 * row) % ROWS < share * ROWS) for row in range(ROWS)]


def campaign(mechanism="coarse", queries=2, levels=(20, 39), ledger=None):
    study = coin_study(
        arena="scripted",
        gate=GateSettings(planned=3),
        screening=ScreeningSettings(keep_one_in=1, waiting=1),
        follow_up=FollowUpSettings(share=0.0),
        holdout=HoldoutSettings(queries=queries, mechanism=mechanism),
    )
    script = ScriptedResearcher(tuple({"level": level} for level in levels))
    arena = Fixed()
    lab = in_memory(study, Budget(trials=4000), arena=arena, executor=Flaky(scored), researcher=script, ledger=ledger)
    lab.holdout_service = LabHoldoutService(lab.context, lab.blobs)
    return lab, arena


def said(lab, kind):
    return [event for event in events(lab) if isinstance(event, kind)]


def test_what_holds_on_the_final_data_is_told_from_what_only_fits_the_gates():
    lab, _ = campaign()
    lab.run()
    assert [answer.held for answer in said(lab, HoldoutAnswered)] == [False, True]


def test_answers_are_coarse_until_the_holdout_closes():
    lab, _ = campaign(queries=2)
    lab.run()
    before = list(map(dataclasses.asdict, said(lab, HoldoutAnswered)))
    assert all(answer["reported"] is None for answer in before)
    assert all("e_value" not in answer for answer in before)
    (closed,) = said(lab, HoldoutClosed)
    assert [told.e_value is not None for told in closed.answers] == [True, True]


def test_at_zero_it_closes_and_nothing_is_asked_any_more():
    lab, arena = campaign(queries=1)
    lab.run()
    assert len(said(lab, HoldoutAsked)) == 1
    assert len(said(lab, HoldoutClosed)) == 1
    assert len(lab.state.findings) == 2
    read = len(arena.read)
    assert lab.holdout_service.answers(lab.state) == []
    assert len(arena.read) == read


def test_without_queries_the_final_data_are_never_read():
    lab, arena = campaign(queries=0)
    lab.run()
    assert lab.state.findings
    assert not said(lab, HoldoutOpened)
    assert arena.read == []


def test_a_query_is_spent_before_its_answer_exists_and_answered_once_after_a_crash():
    """The lab dies between the query and its answer: the next session answers the same query, and no other."""
    lab, _ = campaign()
    whole, _ = campaign()
    whole.run()
    lab.holdout_service = None
    lab.run()
    assert len(said(lab, HoldoutAsked)) == 1
    assert not said(lab, HoldoutAnswered)
    again, _ = campaign(ledger=lab.ledger)
    again.blobs = lab.blobs
    again.holdout_service = LabHoldoutService(again.context, lab.blobs)
    again.run()
    assert said(again, HoldoutAnswered) == said(whole, HoldoutAnswered)
    assert [query.number for query in said(again, HoldoutAsked)] == [1, 2]


def test_a_naive_holdout_warns_of_its_inflation():
    lab, _ = campaign("naive")
    lab.run()
    answers = said(lab, HoldoutAnswered)
    assert all("overstate" in answer.warning and "points" in answer.warning for answer in answers)
    assert all(answer.reported is not None for answer in answers)


@pytest.mark.parametrize("mechanism", ["coarse", "ladder", "thresholdout", "naive"])
def test_every_mechanism_finds_a_gain_of_thirty_points(mechanism):
    lab, _ = campaign(mechanism, queries=1, levels=(39,))
    lab.run()
    (answer,) = said(lab, HoldoutAnswered)
    assert answer.held


@pytest.fixture
def on_disk(tmp_path):
    study = coin_study(
        arena="scripted",
        gate=GateSettings(planned=3),
        screening=ScreeningSettings(keep_one_in=1, waiting=1),
        follow_up=FollowUpSettings(share=0.0),
        holdout=HoldoutSettings(queries=2),
    )
    script = ScriptedResearcher(({"level": 20}, {"level": 39}))
    with session(study, Budget(trials=400), tmp_path, problem=Fixed(), researcher=script, place=Flaky(scored)) as lab:
        lab.run()
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "edit"),
    [
        ("holdout_answered", lambda v: v.update(held=not v["held"])),
        ("holdout_closed", lambda v: v["answers"][0].update(held=not v["answers"][0]["held"])),
        ("holdout_closed", lambda v: v["answers"][0].update(e_value=7.0)),
        ("holdout_asked", lambda v: v.update(number=2)),
        ("holdout_opened", lambda v: v.update(queries=3)),
        ("holdout_opened", lambda v: v.update(key_commitment="00")),
    ],
)
def test_a_lie_about_the_holdout_is_named(on_disk, kind, edit):
    """By its owner, who has hashed and signed it anew."""
    assert verify(on_disk, arena=Fixed()).ok
    forge(on_disk, kind, edit)
    found = verify(on_disk, arena=Fixed())
    assert not found.ok
    assert "holdout" in found.lie
