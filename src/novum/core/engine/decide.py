"""What to do next, as a pure function of the state: propose, admit, register, screen, confirm, decide, learn.

`decide(state, house) -> events`. The events are the actions: the loop appends them to the ledger, folds them into the
state, and hands every `GroupDispatched` to the executor. The same ledger, seed and researcher give the same events.
"""

from __future__ import annotations

from novum.core.engine.context import LabContext
from novum.core.engine.dispatch import committed, price, spent
from novum.core.engine.stages import confirm, follow_up, holdout_query, promote, quarantine, screen
from novum.core.engine.stages.admission import PROPOSE, admit, first_look
from novum.core.engine.stages.propose import PATIENCE, propose, spent_share
from novum.core.events.models_and_people import ApprovalAsked
from novum.core.events.registry import Event
from novum.core.model.budget import Spent
from novum.core.state.approvals import SPEND, closing
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase


def decide(state: CampaignState, context: LabContext) -> list[Event]:
    """The next events, or none while only time or outcomes can tell.

    The sentence is read from its end, so that finished evidence never waits behind new ideas.
    """
    if state.request_log.paused or state.intervention_log.holds:
        return screen.learn(state, context)
    return (
        screen.learn(state, context)
        or people(state, context)
        or confirm.decide(state, context)
        or follow_up.decide(state, context)
        or holdout_query.ask(state, context)
        or quarantine.settle(state, context)
        or promote.promote(state, context)
        or confirm.confirm(state, context)
        or follow_up.follow_up(state, context)
        or screen.screen(state, context)
        or admit(state, context)
        or propose(state, context)
    )


def measure(state: CampaignState, context: LabContext) -> list[Event]:
    """Only what any campaign needs first: the incumbent's sweep, and its noise."""
    if state.intervention_log.holds:
        return screen.learn(state, context)
    return (
        screen.learn(state, context)
        or confirm.calibrate(state, context)
        or screen.sweep(state, context, [state.incumbent.candidate])
    )


def people(state: CampaignState, context: LabContext) -> list[Event]:
    """Approvals that are decided by now."""
    policy, now = context.study.policy, state.wall_seconds
    return [end for one in state.request_log.waiting if (end := closing(one, policy, now))]


def awaited(state: CampaignState, context: LabContext) -> bool:
    """Whether people are asked for anything that could still be paid if they agreed."""
    for one in state.request_log.waiting:
        least = Spent(trials=_least(state, context, one.asked))
        if not least.trials or not context.governor.refuses(spent(state), least):
            return True
    return False


def _least(state: CampaignState, context: LabContext, asked: ApprovalAsked) -> int:
    """Trials that it takes at least to do what is asked for."""
    if asked.act == PROPOSE:
        return first_look(context)
    waits = any(one.candidate.digest == asked.content for one in state.open_hypotheses(Phase.WAITING))
    return 2 * (1 + context.study.gate.estimate_pairs) if asked.act == SPEND and waits else 0


def ended(state: CampaignState, context: LabContext) -> str | None:
    """Why nothing more may be started, or None. `state` may still have trials in flight."""
    return state.intervention_log.stopped or context.governor.refuses(spent(state), Spent(trials=1))


def why_nothing_more(state: CampaignState, context: LabContext) -> str:
    """The reason why `decide` has nothing more to do, in words."""
    if reason := ended(state, context) or context.governor.refuses(spent(state), price(state, 1, context.slots)):
        return reason
    if context.evidence.open(state.account).amount <= 0:
        return "evidence spent: plain e-LOND allows no more than the planned confirmations"
    if state.refused_in_a_row >= PATIENCE:
        return f"nothing new: the researcher's last {PATIENCE} ideas were all known, inadmissible or not affordable"
    if reason := spent_share(state, context, context.study.researcher.name):
        return reason
    budget = context.governor.refuses(
        spent(state), price(state, context.arena.spec.group_size + committed(state, context), context.slots)
    )
    return budget or "nothing left to try: the researcher has no further idea"
