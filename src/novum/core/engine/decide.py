"""What to do next, as a pure function of the state: propose, admit, register, screen, confirm, decide, learn.

`decide(campaign) -> events`. The events are the actions: the loop appends them to the ledger, folds them into the
state, and hands every `GroupDispatched` to the executor. The same ledger, seed and researcher give the same events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from novum.core.engine import evidence_plan
from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import committed, price
from novum.core.engine.stages import (
    confirm,
    distil,
    follow_up,
    holdout_query,
    machine_doubts,
    opening,
    promote,
    quarantine,
    same_behaviour,
    screen,
    tail_watch,
)
from novum.core.engine.stages.admission import PROPOSE, admit, first_look
from novum.core.engine.stages.propose import PATIENCE, propose, spent_share
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Event
from novum.core.events.machines import GroupRan, GroupRechecked
from novum.core.events.models_and_people import ApprovalAsked
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import CandidateTuned, RungClosed, TrialFinished
from novum.core.events.verdicts import AblationPlanned, FindingRecorded, FollowUpClosed
from novum.core.model.budget import Spent
from novum.core.state.approvals import SPEND, closing
from novum.core.state.hypothesis import Phase


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a decision."""

    decide: Callable[[Campaign], list[Event]]
    needs_slot: bool = False
    """Whether it does nothing but send trial groups, so that it needs a free slot."""
    wakes: tuple[type[Event], ...] | None = None
    """The kinds of events after which it may find something that it did not find before; None: it looks each time."""


def people(campaign: Campaign) -> list[Event]:
    """Approvals that are decided by now."""
    policy, now = campaign.study.policy, campaign.state.wall_seconds
    return [end for one in campaign.state.request_log.waiting if (end := closing(one, policy, now))]


_LEARN = Stage(
    screen.learn,
    wakes=(TrialFinished, HypothesisRegistered, IncumbentChanged, AblationPlanned, RungClosed, CandidateTuned),
)
STAGES = (
    Stage(machine_doubts.decide, wakes=(GroupRechecked, GroupRan, IncumbentChanged)),
    Stage(same_behaviour.withdraw_the_same, wakes=(TrialFinished,)),
    _LEARN,
    Stage(people),
    Stage(confirm.decide),
    Stage(follow_up.decide),
    Stage(tail_watch.decide, wakes=(TrialFinished, FindingRecorded)),
    Stage(holdout_query.ask),
    Stage(quarantine.settle),
    Stage(promote.promote),
    Stage(confirm.confirm, needs_slot=True),
    Stage(follow_up.follow_up, needs_slot=True),
    Stage(screen.retire),
    Stage(screen.withdraw),
    Stage(screen.screen, needs_slot=True),
    Stage(admit),
    Stage(distil.distil, wakes=(FollowUpClosed, IncumbentChanged, FindingRecorded)),
    Stage(propose),
    Stage(opening.open_when_idle, needs_slot=True),
)
"""Propose, admit, screen, confirm, decide, learn, from its end: finished evidence waits for no new idea."""


def decide(campaign: Campaign) -> list[Event]:
    """The next events, or none while only time or outcomes can tell."""
    paused = campaign.state.request_log.paused or campaign.state.intervention_log.holds
    for stage in (_LEARN,) if paused else STAGES:
        if stage.needs_slot and campaign.free_slots <= 0:
            continue
        name = stage.decide.__qualname__
        if stage.wakes and campaign.is_quiet(name, stage.wakes):
            continue
        if events := stage.decide(campaign):
            return events
        if stage.wakes:
            campaign.quiet[name] = campaign.state.revision
    return []


def measure(campaign: Campaign) -> list[Event]:
    """Only what any campaign needs first: the incumbent's sweep, and its noise."""
    if campaign.state.request_log.paused or campaign.state.intervention_log.holds:
        return screen.learn(campaign)
    return (
        screen.learn(campaign)
        or confirm.calibrate(campaign)
        or screen.sweep(campaign, [campaign.state.incumbent.candidate])
    )


def awaited(campaign: Campaign) -> bool:
    """Whether people are asked for anything that could still be paid if they agreed."""
    for one in campaign.state.request_log.waiting:
        least = Spent(trials=_least(campaign, one.asked))
        if not least.trials or not campaign.context.governor.refuses(campaign.state.spent, least):
            return True
    return False


def _least(campaign: Campaign, asked: ApprovalAsked) -> int:
    """Trials that it takes at least to do what is asked for."""
    if asked.act == PROPOSE:
        return first_look(campaign.context)
    waits = any(one.candidate.digest == asked.content for one in campaign.state.open_hypotheses(Phase.WAITING))
    return 2 * (1 + campaign.study.gate.estimate_pairs) if asked.act == SPEND and waits else 0


def ended(campaign: Campaign) -> str | None:
    """Why nothing more may be started, or None. `state` may still have trials in flight."""
    return campaign.state.intervention_log.stopped or campaign.context.governor.refuses(
        campaign.state.spent, Spent(trials=1)
    )


def why_nothing_more(campaign: Campaign) -> str:
    """The reason why `decide` has nothing more to do, in words."""
    if reason := ended(campaign) or campaign.context.governor.refuses(
        campaign.state.spent, price(campaign.state, 1, campaign.context.slots)
    ):
        return reason
    no_stake = campaign.context.evidence.open(campaign.state.account).amount <= 0
    if no_stake and evidence_plan.due(campaign.state) is None:
        return "evidence spent: plain e-LOND allows no more than the planned confirmations"
    if campaign.state.refused_in_a_row >= PATIENCE:
        return f"nothing new: the researcher's last {PATIENCE} ideas were all known, inadmissible or not affordable"
    if reason := spent_share(campaign, campaign.study.researcher.name):
        return reason
    budget = campaign.context.governor.refuses(
        campaign.state.spent,
        price(campaign.state, campaign.spec.group_size + committed(campaign), campaign.context.slots),
    )
    return budget or "nothing left to try: the researcher has no further idea"
