"""Distillation: what a finding does not need goes, and the smaller candidate is claimed, confirmed and kept anew."""

from __future__ import annotations

import pytest
from labs import coin_study, events, in_memory

from novum.core.engine.distillation import margin
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.model.budget import Budget
from novum.core.model.identity import DISTIL, unfit
from novum.core.model.study import FollowUpSettings, GateSettings
from novum.core.model.trial_plan import Aim
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply


@pytest.fixture(scope="module")
def lab():
    """Coins of which one part does nothing at all: many findings carry it along."""
    asks = FollowUpSettings(share=0.4, aims=(Aim.ABLATE,))
    for seed in range(6):
        made = in_memory(
            coin_study(seed=seed, gate=GateSettings(planned=12), follow_up=asks), Budget(trials=3000), slots=2
        )
        made.run()
        if any(isinstance(e, ProposalMade) and e.author == DISTIL for e in events(made)):
            return made
    pytest.fail("no finding of six campaigns had a part that could go")


def test_the_smaller_candidate_is_the_finding_without_parts_that_were_not_shown_to_matter(lab):
    state = CampaignState()
    seen = 0
    for event in events(lab):
        if isinstance(event, ProposalMade) and event.author == DISTIL:
            finding = state.hypotheses[event.parents[0]]
            kept = [one.opened.about for one in finding.follow_ups if one.closed and one.closed.verdict == "supported"]
            mine, other = finding.rule.candidate.genome, finding.rule.incumbent.genome
            small = event.candidate.genome
            assert all(small[part] == mine[part] for part in kept)
            gone = [part for part in mine if small[part] != mine[part]]
            assert gone
            assert all(small[part] == other[part] for part in gone)
            seen += 1
        apply(state, event)
    assert seen


def test_it_claims_to_keep_half_of_the_gain_and_no_more(lab):
    state, seen = CampaignState(), 0
    for event in events(lab):
        if isinstance(event, HypothesisRegistered) and event.author == DISTIL:
            assert event.delta == -margin(state)
            assert event.incumbent == state.incumbent.candidate.id
            seen += 1
        elif isinstance(event, HypothesisRegistered):
            assert event.delta == state.study.gate.delta
        apply(state, event)
    assert seen


def test_what_is_confirmed_takes_the_place_of_the_larger_one(lab):
    known = {h.id: h for h in lab.state.hypotheses.values() if h.registered.author == DISTIL}
    supported = {name for name, one in known.items() if one.verdict and one.verdict.verdict == "supported"}
    crowned = {event.hypothesis for event in events(lab) if isinstance(event, IncumbentChanged)}
    assert supported <= crowned
    for name in supported:
        rule = known[name].rule
        assert rule.delta < 0
        assert known[name].verdict.e_value >= known[name].verdict.threshold


def test_nobody_outside_signs_as_the_lab_does():
    assert unfit(DISTIL)


def test_a_study_can_do_without():
    asks = FollowUpSettings(share=0.4, aims=(Aim.ABLATE,), distil=False)
    made = in_memory(coin_study(seed=1, gate=GateSettings(planned=12), follow_up=asks), Budget(trials=1500), slots=2)
    made.run()
    assert not any(isinstance(e, ProposalMade) and e.author == DISTIL for e in events(made))
