"""A study as those see it who propose: no seeds, no keys, no confirmation scores, no word on the gate's data."""

from __future__ import annotations

from itertools import islice

from novum.core.events.trials import TrialFinished
from novum.core.model.ports import Arena
from novum.core.model.study_view import BudgetLeft, FailedTrial, StudyView
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Verdict
from novum.core.state.approvals import SPEND
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.core.state.interventions import member
from novum.core.state.study_views.claim_views import LazyClaims, judged, registered
from novum.core.state.study_views.research_history import LONG_MEMORY, MEMORY, ResearchHistory

NETWORK = "network"

FAILURES = 16
"""How many trials without a score are shown, the latest ones."""

NOTES = 4
"""How many of the watchdog's interventions."""

WITHHELD = "withheld, as it ran on the gate's data"


def view_of(state: CampaignState, arena: Arena, number: int, idle: frozenset[str] = frozenset()) -> StudyView:
    """What may be known when proposal `number` is asked for. idle: researchers that are not to propose any more."""
    incumbent, latest = state.incumbent.candidate, state.screened[-MEMORY:]
    return StudyView(
        spec=arena.spec,
        space=arena.space,
        number=number,
        incumbent=incumbent.genome,
        tried=ResearchHistory(state, latest),
        supported=sum(one.verdict is not None and one.verdict.verdict is Verdict.SUPPORTED for one in latest),
        known=state.known(incumbent.id),
        question=state.study.question or arena.spec.question,
        failed=tuple(_failed(event, plan) for event, plan in state.failures[-FAILURES:]),
        means=_means(state),
        past=ResearchHistory(state, state.screened[-LONG_MEMORY:]),
        resting=idle | {member(name) for name, until in state.intervention_log.resting.items() if until > number},
        notes=tuple(one.words for one in state.intervention_log.latest[-NOTES:]),
        judged=LazyClaims(lambda: judged(state)),
        registered=LazyClaims(lambda: registered(state)),
        compute_limit=state.compute_limit(incumbent.id),
        withdrawn=ResearchHistory(state, _latest_withdrawn(state)),
        remarks=state.remarks.get(incumbent.id, ""),
        others=state.sweep_others.get(incumbent.id, {}),
        cost=state.incumbent.cost,
    )


def _latest_withdrawn(state: CampaignState) -> list[Hypothesis]:
    return list(islice(reversed(state.by_phase[Phase.WITHDRAWN].values()), MEMORY))[::-1]


def _failed(event: TrialFinished, plan: Plan) -> FailedTrial:
    """A failure; what a program said of data that decide about it must not reach the next program."""
    return FailedTrial(plan.subject, event.kind, event.cause if plan.purpose is Purpose.SCREEN else WITHHELD)


def _means(state: CampaignState) -> BudgetLeft:
    """What the budget leaves; what is in flight counts as spent."""
    used, budget = state.spent, state.budget
    asks = (one.asked for one in state.request_log.waiting)
    return BudgetLeft(
        trials=None if budget.trials is None else max(0, budget.trials - used.trials),
        cpu_seconds=None if budget.cpu_seconds is None else max(0.0, budget.cpu_seconds - used.cpu_seconds),
        tokens=None if budget.tokens is None else max(0, budget.tokens - used.tokens),
        money=None if budget.money is None else max(0.0, budget.money - used.money),
        reserved=frozenset(state.request_log.reserved),
        failures_in_a_row=state.request_log.failures_in_a_row,
        awaiting=frozenset(one.content for one in asks if one.act in (NETWORK, SPEND)),
        denied=frozenset(state.request_log.denied),
    )
