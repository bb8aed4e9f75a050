"""The plan of the evidence ledger: as many confirmations as the budget pays, and never more evidence than there is."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import coin_study, events, in_memory

from novum.core.engine.context import Campaign
from novum.core.engine.evidence_plan import KEPT, LONG, trials_each
from novum.core.events.campaign import SessionStarted
from novum.core.events.evidence_account import EvidencePlanned
from novum.core.events.trials import GroupDispatched
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.budget import Budget
from novum.core.model.study import GateSettings
from novum.core.model.trial_plan import Purpose
from novum.core.model.verdict import Account
from novum.gate.evidence import Recycling
from novum.governance.hard_budget import HardBudget


def planned_lab(trials, **gate):
    lab = in_memory(coin_study(seed=2, gate=GateSettings(**gate)), Budget(trials=trials), slots=2)
    lab.run()
    return lab


@pytest.mark.parametrize(("trials", "least", "most"), [(150, 1, 4), (300, 4, 9), (3000, LONG, LONG)])
def test_it_is_for_what_the_budget_pays(trials, least, most):
    lab = planned_lab(trials)
    plan = next(event for event in events(lab) if isinstance(event, EvidencePlanned))
    assert least <= plan.count <= most
    assert plan.trials == trials_each(lab.state.study, 1)
    first = next(event for event in events(lab) if isinstance(event, ConfirmationOpened))
    floor = GateSettings().stake_floor if plan.count == LONG else 1
    assert first.threshold == pytest.approx(max(plan.count, floor) / (0.10 * (1 - KEPT)))


def test_a_study_that_fixes_the_number_has_no_plan():
    assert not any(isinstance(event, EvidencePlanned) for event in events(planned_lab(300, planned=12)))


def test_more_budget_is_a_new_plan_from_what_is_left():
    lab = planned_lab(150)
    before, more = lab.state.account, Budget(trials=900)
    context = dataclasses.replace(lab.context, governor=HardBudget(more))
    lab.campaign = Campaign(lab.state, context)
    lab.record([SessionStarted(2, more, 1, 0, "", {})])
    lab.run()
    record = events(lab)
    resumed = next(n for n, event in enumerate(record) if isinstance(event, SessionStarted) and event.session == 2)
    plans = [event for event in record if isinstance(event, EvidencePlanned)]
    later = [event for event in record[resumed:] if isinstance(event, EvidencePlanned)]
    assert later[0].first == before.opened + 1
    assert later[0].count > plans[0].count
    assert later[0].cash + later[0].kept <= 1.0 + 1e-12


def test_without_a_scale_three_runs_of_the_incumbent_are_enough_to_begin():
    lab = planned_lab(300, process="scale-free")
    record = events(lab)
    first = next(n for n, event in enumerate(record) if isinstance(event, ConfirmationOpened))
    plans = [event.plan for event in record[:first] if isinstance(event, GroupDispatched)]
    assert sum(len(plan.members) for plan in plans if plan.purpose is Purpose.CALIBRATE) == 3
    assert record[first].process == "scale-free"
    assert lab.state.findings


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=30), st.integers(1, 25), st.sampled_from([1, 10]))
def test_stakes_never_exceed_the_evidence_and_what_is_kept_stays(closings, count, least):
    """Whatever E a confirmation ends with: cash stays within what was there, and `kept` is not touched."""
    ledger = Recycling(GateSettings())
    account = Account(cash=1 - KEPT, horizon=count, least=least, kept=KEPT)
    for e_value, accepted in closings:
        stake = ledger.open(account)
        assert 0 <= stake.amount <= account.cash + 1e-12
        assert stake.account.kept == KEPT
        bar = 1 / (0.1 * max(stake.amount, 1e-12))
        said = accepted and e_value >= bar
        account = ledger.close(stake.account, stake.amount, e_value, bar, accepted=said)
        assert -1e-12 <= account.cash + account.kept <= 1 + 1e-12
    if least == 1 and len(closings) >= count:
        assert ledger.open(account).amount == 0.0 or account.opened < count
