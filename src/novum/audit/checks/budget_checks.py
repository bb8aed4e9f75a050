"""Whether budgets were kept, and whether what was refused for them had to be: totals are added up from the outcomes.

A session says under which budget it runs. Everything that it sent, set aside, asked and refused is held against that,
and against the budgets of authors and hypotheses. What an outcome cost is its owner's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from novum.audit.checks.order_checks import Checks
from novum.audit.score_checks import Rules
from novum.core.engine.dispatch import shares
from novum.core.engine.stages.confirm import UNPAID
from novum.core.events.campaign import SessionEnded, SessionStarted
from novum.core.events.event import Event
from novum.core.events.models_and_people import ModelAsked
from novum.core.events.proposals import HypothesisWithdrawn, ProposalRefused
from novum.core.events.trials import GroupDispatched
from novum.core.events.verdicts import HoldoutAsked, VerdictReached
from novum.core.model.budget import Share, Spent
from novum.core.model.errors import IntegrityError, UserError
from novum.core.state.campaign_state import CampaignState
from novum.core.state.spending import Payer
from novum.governance.hard_budget import check_total, readings

_BOUNDED = ("trials", "cpu_seconds", "gpu_seconds", "tokens", "money", "holdout_queries")
"""What a demand is held against; of wall time the record knows how late it was."""

_ROUNDED = 1e-6
"""Seconds and dollars by which sums of floats may differ from what was added up in another order."""

_LAB, _SHARE = "budget: ", "the budget of "
_WALL = re.compile(r"budget: (\d+\.\d) of (\d+) seconds used")


def _sent(event: GroupDispatched, state: CampaignState, _: Rules) -> None:
    plan = event.plan
    payer = state.spending.payer(plan)
    aside = Spent(len(plan.members), event.cpu_seconds, gpu_seconds=event.gpu_seconds)
    _afforded(plan.id, state, payer, aside)
    if event.capped and all(one.budget.cpu_seconds is None for one in _levels(state, payer)):
        raise IntegrityError(f"{plan.id} is held to the CPU time that is left, and no budget bounds that")


def _model(event: ModelAsked, state: CampaignState, _: Rules) -> None:
    demand = Spent(tokens=event.tokens, money=event.money)
    _afforded("the request to a model", state, Payer("", event.author), demand)


def _query(event: HoldoutAsked, state: CampaignState, _: Rules) -> None:
    _afforded("the query", state, state.spending.of(event.hypothesis), Spent(holdout_queries=1))


def _afforded(what: str, state: CampaignState, payer: Payer | None, demand: Spent) -> None:
    """Hold a demand against every budget that pays for it."""
    for share in _levels(state, payer):
        for name in _BOUNDED:
            bound, more = getattr(share.budget, name), getattr(demand, name)
            if bound is not None and more and getattr(share.spent, name) + more > bound + _ROUNDED:
                words = readings(share.budget, share.spent)[name]
                raise IntegrityError(f"{what} was sent, and {share.name} does not pay for it: {words}, {more:g} more")


def _levels(state: CampaignState, payer: Payer | None) -> list[Share]:
    """The budgets that pay together, the lab's first, as far as they bound anything but time that passes."""
    bounded = any(getattr(state.budget, name) is not None for name in _BOUNDED)
    own = [Share("the lab's budget", state.budget, state.spent)] if bounded else []
    return [*own, *shares(state, payer)] if state.study.budgets.given else own


def _begun(event: SessionStarted, state: CampaignState, _: Rules) -> None:
    if state.session and event.budget != state.budget:
        try:
            check_total(event.budget, state.spent, "the campaign")
        except UserError as error:
            raise IntegrityError(f"session {event.session} began with a budget that was spent ({error})") from None


def _ended(event: SessionEnded, state: CampaignState, _: Rules) -> None:
    """A session that ends by its budget ends by what was used of it."""
    if not event.reason.startswith(_LAB):
        return
    budget, used = state.budget, state.spent
    if wall := _WALL.fullmatch(event.reason):
        passed = state.earlier_sessions + event.elapsed
        bound = budget.wall_seconds
        # The clock went on between the decision to end and the event that says so.
        if bound is None or f"{bound:.0f}" != wall[2] or not state.wall_seconds - 0.1 <= float(wall[1]) <= passed + 0.1:
            said = "none of wall time" if bound is None else f"{bound:.0f} s, {passed:.1f} passed"
            raise IntegrityError(f"session {event.session} ended by its budget ({event.reason}), and that is {said}")
        return
    honest = [f"{_LAB}{words}" for words in readings(budget, used).values()]
    if event.reason not in honest:
        raise IntegrityError(
            f"session {event.session} ended by its budget ({event.reason}), and what was used of it is "
            f"{', '.join(one.removeprefix(_LAB) for one in honest) or 'not bounded'}"
        )


def _refused(event: Event, state: CampaignState, _: Rules) -> None:
    """Hold what was refused for the budget of an author or a hypothesis against what was used of it."""
    for said, payer in _refusals(event, state):
        honest = [
            f"{share.name}: {words}"
            for share in shares(state, payer)
            for words in readings(share.budget, share.spent).values()
        ]
        if said not in honest:
            raise IntegrityError(f"it is refused by {said}, and what was used is {'; '.join(honest) or 'not bounded'}")


def _refusals(event: Event, state: CampaignState) -> Iterator[tuple[str, Payer | None]]:
    """The refusals that an event quotes, each with who was to pay."""
    if isinstance(event, ProposalRefused):
        proposal = next((one for one in state.pending if one.number == event.number), None)
        if proposal and event.reason.startswith(_SHARE) and state.study.budgets.given:
            yield event.reason, Payer("a hypothesis", proposal.author)
        return
    for kind, begins in ((VerdictReached, f"{UNPAID}: "), (HypothesisWithdrawn, "its ")):
        if isinstance(event, kind) and event.reason.startswith(begins):
            _, colon, said = event.reason.partition(f": {_SHARE}")
            if colon:
                yield f"{_SHARE}{said}", state.spending.of(event.hypothesis)


BUDGETS: Checks = {
    GroupDispatched: _sent,
    ModelAsked: _model,
    HoldoutAsked: _query,
    SessionStarted: _begun,
    SessionEnded: _ended,
    ProposalRefused: _refused,
    VerdictReached: _refused,
    HypothesisWithdrawn: _refused,
}
