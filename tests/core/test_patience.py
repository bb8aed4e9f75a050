"""With patience the search comes first: its best is confirmed when nothing better came, or while it can be paid."""

from __future__ import annotations

import dataclasses

import pytest
from labs import coin_study, events, foretold, in_memory

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.budget import Budget
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply

PATIENCE = 12


def campaign(trials: int, patience: int = PATIENCE):
    study = coin_study()
    study = dataclasses.replace(study, screening=dataclasses.replace(study.screening, patience=patience))
    lab = in_memory(study, Budget(trials=trials))
    lab.run()
    return lab


def openings(lab):
    """For each first confirmation: candidates screened since the best one, and the share of the budget used by then."""
    state, found, before = CampaignState(), [], None
    for event in events(lab):
        companion = isinstance(before, ConfirmationOpened)
        before = event
        if isinstance(event, ConfirmationOpened) and event.attempt == 1 and not companion:
            one = state.hypotheses[event.hypothesis]
            if one is state.confirmation_queue.best:
                found.append((state.screened_since(one, 10**6), state.spent.trials / (state.budget.trials or 1)))
        apply(state, event)
    return found


@pytest.fixture(scope="module")
def long():
    return campaign(1200)


def test_no_confirmation_opens_before_as_many_candidates_screened_no_better(long):
    waited = openings(long)
    assert len(waited) > 2
    assert all(since >= PATIENCE for since, used in waited if used < 0.8)


def test_it_is_decided_from_the_record_alone(long):
    assert foretold(long) > 100


@pytest.mark.parametrize("trials", [150, 250])
def test_a_budget_that_runs_out_still_pays_for_the_confirmation_of_the_best(trials):
    waited = openings(campaign(trials, patience=10_000))
    assert waited, "nothing was confirmed"
    assert all(used > 0.3 for _, used in waited)


def test_without_patience_one_in_so_many_is_confirmed_as_before():
    assert min(since for since, _ in openings(campaign(500, patience=0))) < PATIENCE
