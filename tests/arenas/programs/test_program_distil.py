"""A program that was confirmed is taken apart statement by statement, and what it does not need goes."""

import pytest
from labs import coin_study, events, in_memory

from novum.core.events.proposals import ProposalMade
from novum.core.events.verdicts import AblationPlanned, FollowUpClosed
from novum.core.model.budget import Budget
from novum.core.model.identity import DISTIL
from novum.core.model.study import FollowUpSettings, GateSettings
from novum.core.model.trial_plan import Aim
from novum.researchers.scripted import ScriptedResearcher

pytestmark = pytest.mark.slow
NEEDED = "a = y - p; a = a * b; u = a * x; w = u + w"
IDLE = "c = 1e-09; v = c * x; w = v + w"
"""Adds a billionth of the example: it changes what is computed, and nothing that can be measured."""


@pytest.fixture(scope="module")
def lab():
    pytest.importorskip("numba")
    study = coin_study(
        arena="programs",
        options={"task": "linear", "operations": "vectors", "features": 4},
        gate=GateSettings(planned=12),
        follow_up=FollowUpSettings(share=0.9, aims=(Aim.ABLATE,)),
    )
    genome = {"setup": "b = 0.2", "predict": "p = dot(w, x)", "learn": f"{NEEDED}; {IDLE}"}
    made = in_memory(study, Budget(trials=3000), researcher=ScriptedResearcher((genome,)))
    made.run()
    return made


def test_each_statement_is_asked_about_and_those_that_learn_matter(lab):
    planned = [event for event in events(lab) if isinstance(event, AblationPlanned)]
    mine = planned[0].hypothesis
    asked = {event.part.partition(": ")[2] for event in planned if event.hypothesis == mine}
    assert len(asked) == 9
    closed = {}
    about = {one.opened.rule.attempt: one.opened.about for one in lab.state.hypotheses[mine].follow_ups}
    for event in events(lab):
        if isinstance(event, FollowUpClosed) and event.hypothesis == mine:
            closed[about[event.attempt].partition(": ")[2]] = event.verdict
    needed = [words for words, verdict in closed.items() if verdict == "supported"]
    idle = [words for words in closed if words not in needed]
    assert len(idle) == 3
    assert any("1e-09" in words for words in idle)


def test_the_program_without_them_takes_its_place(lab):
    (small,) = [event for event in events(lab) if isinstance(event, ProposalMade) and event.author == DISTIL]
    text = small.candidate.genome
    assert "1e-09" not in text["learn"]
    assert len(text["learn"].split(";")) == 4
    assert lab.state.incumbent.candidate.id == small.candidate.id
    crowned = lab.state.hypotheses[lab.state.incumbent.hypothesis]
    assert crowned.finding is not None and crowned.rule.delta < 0
