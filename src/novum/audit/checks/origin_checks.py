"""Whether a hypothesis is the proposal that it came from, and a baseline the study's: nothing is changed on the way."""

from __future__ import annotations

from novum.audit.checks.order_checks import Checks
from novum.audit.score_checks import Rules
from novum.core.engine.stages.screen import next_step
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.events.trials import RungClosed
from novum.core.model.candidate import Candidate, Cost, change_text
from novum.core.model.errors import IntegrityError
from novum.core.state.campaign_state import CampaignState

_KEPT = ("author", "candidate", "probability", "effect")


def _claimed(event: HypothesisRegistered, state: CampaignState, rules: Rules) -> None:
    _registered(event, state)
    _cost(event.candidate, event.cost, state, rules)


def _crowned(event: IncumbentChanged, state: CampaignState, rules: Rules) -> None:
    _cost(event.candidate, event.cost, state, rules)
    if not state.incumbents:
        _baseline(event, state, rules)


def _rung(event: RungClosed, state: CampaignState, _: Rules) -> None:
    if event.candidate not in state.sweeps or next_step(state, event.candidate) != event:
        raise IntegrityError(f"the first rung of candidate {event.candidate} does not follow from its runs")


ORIGINS: Checks = {HypothesisRegistered: _claimed, IncumbentChanged: _crowned, RungClosed: _rung}


def _registered(event: HypothesisRegistered, state: CampaignState) -> None:
    due = f"h{len(state.hypotheses) + 1}"
    if event.id != due:
        raise IntegrityError(f"{event.id} was registered where {due} was next: hypotheses are missing or doubled")
    if event.incumbent != state.incumbent.candidate.id:
        raise IntegrityError(f"{event.id} is claimed against another candidate than the incumbent")
    proposal = next((one for one in state.pending if one.number == event.number), None)
    if proposal is None:
        _renewed(event, state)
        return
    _same(event, proposal, f"proposal {event.number}")
    for name in ("parents", "rationale"):
        if getattr(event, name) != getattr(proposal, name):
            raise IntegrityError(f"{event.id} has other {name} than proposal {event.number}, which it was made from")


def _renewed(event: HypothesisRegistered, state: CampaignState) -> None:
    """A claim against a new incumbent says what the old one said."""
    old = state.hypotheses.get(event.parents[0]) if len(event.parents) == 1 else None
    if old is None or old.registered.number != event.number:
        raise IntegrityError(f"{event.id} was registered from proposal {event.number}, which did not wait for anything")
    _same(event, old.registered, old.id)
    if not event.rationale.endswith(old.registered.rationale):
        raise IntegrityError(f"{event.id} has another rationale than {old.id}, which it claims anew")


def _same(event: HypothesisRegistered, origin: ProposalMade | HypothesisRegistered, name: str) -> None:
    for field in _KEPT:
        mine, other = getattr(event, field), getattr(origin, field)
        if mine != other or (field == "candidate" and event.candidate.id != origin.candidate.id):
            what = f"the {field} {mine} where {name} says {other}"
            if field == "candidate":
                what = f"another candidate than {name} ({change_text(mine.genome, other.genome, 200)})"
            raise IntegrityError(f"{event.id} was registered with {what}")


def _cost(candidate: Candidate, cost: Cost, state: CampaignState, rules: Rules) -> None:
    if rules.arena and rules.code == state.code and rules.arena.cost(candidate.genome) != cost:
        raise IntegrityError(f"the cost of candidate {candidate.id} is not what the arena says of it")


def _baseline(event: IncumbentChanged, state: CampaignState, rules: Rules) -> None:
    if rules.arena and rules.code == state.code:
        honest = Candidate(rules.arena.space.validate(state.study.baseline or state.spec.baseline))
        if event.hypothesis or honest.id != event.candidate.id:
            change = change_text(event.candidate.genome, honest.genome, 200)
            raise IntegrityError(f"the first incumbent is not the baseline of the study ({change})")
