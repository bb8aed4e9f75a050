"""Arms: confirmations in lock-step on the same fresh seeds, against one set of the incumbent's runs."""

from __future__ import annotations

from collections import defaultdict

import pytest
from labs import coin_study, events, in_memory

from novum.core.events.campaign import IncumbentChanged
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.study import GateSettings
from novum.core.model.trial_plan import Side
from novum.core.state.arm import BLOCK
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply


@pytest.fixture(scope="module")
def lab():
    study = coin_study(seed=5, options={"world": "mixed"}, gate=GateSettings(arms=4))
    made = in_memory(study, Budget(trials=3000), slots=4)
    made.run()
    return made


def members(lab):
    found = defaultdict(list)
    for event in events(lab):
        if isinstance(event, ConfirmationOpened):
            found[event.arm].append(event)
    return found


def test_waiting_candidates_are_confirmed_together(lab):
    assert max(len(rules) for rules in members(lab).values()) > 1
    for arm, rules in members(lab).items():
        assert arm == f"{rules[0].hypothesis}:{rules[0].attempt}"
        assert len({rule.key_commitment for rule in rules}) == 1
        assert len({rule.incumbent.id for rule in rules}) == 1


def test_the_incumbent_runs_once_on_each_seed_of_an_arm(lab):
    plans, seen = {}, defaultdict(list)
    for event in events(lab):
        if isinstance(event, GroupDispatched):
            plans[event.plan.id] = event.plan
        if isinstance(event, TrialFinished) and (plan := plans[event.group]).arm and plan.side is Side.INCUMBENT:
            seen[plan.arm].append(plan.members[event.member].index)
    shared = [arm for arm, rules in members(lab).items() if len(rules) > 1]
    assert shared
    for arm in shared:
        assert sorted(seen[arm]) == sorted(set(seen[arm]))


def test_a_block_is_judged_for_all_members_by_the_threshold_of_its_beginning(lab):
    """Nobody goes on, and no threshold moves, before every open member has the block's pairs."""
    state, sizes = CampaignState(), defaultdict(set)
    for event in events(lab):
        if isinstance(event, VerdictReached) and (rule := state.hypotheses[event.hypothesis].rule).arm:
            floor = 1 / rule.alpha
            known = state.arms[rule.arm].discoveries
            assert event.threshold == pytest.approx(max(floor, 1 / (rule.alpha * rule.stake * (known + 1))))
        if isinstance(event, GroupDispatched) and event.plan.arm and event.plan.purpose == "confirm":
            open_now = [
                one for one in state.members(state.hypotheses[event.plan.subject].rule) if one.phase == "confirming"
            ]
            first = event.plan.members[0].index // BLOCK * BLOCK
            if event.plan.side is Side.CANDIDATE:
                assert all(len(one.pairs()) >= first for one in open_now)
                sizes[event.plan.arm].add(len(open_now))
        apply(state, event)
    assert any(max(found) > 1 for found in sizes.values())


def test_the_best_of_a_block_becomes_the_incumbent_and_the_others_end(lab):
    state = CampaignState()
    for event in events(lab):
        apply(state, event)
        if isinstance(event, IncumbentChanged) and event.hypothesis:
            assert state.hypotheses[event.hypothesis].verdict.verdict == "supported"


def test_one_arm_at_a_time_spends_more_on_the_incumbent():
    """The same study without sharing: the incumbent is run again for every candidate."""

    def share(arms):
        made = in_memory(coin_study(seed=5, gate=GateSettings(arms=arms)), Budget(trials=2000), slots=4)
        made.run()
        plans = [e.plan for e in events(made) if isinstance(e, GroupDispatched) and e.plan.purpose == "confirm"]
        mine = sum(len(plan.members) for plan in plans if plan.side is Side.CANDIDATE)
        return sum(len(plan.members) for plan in plans if plan.side is Side.INCUMBENT) / mine

    assert share(1) == pytest.approx(1.0, abs=0.05)
    assert share(4) < 0.95
