"""Whether a candidate became the one to beat for a reason: a verdict, people who agreed to it, or a retraction."""

from __future__ import annotations

from novum.core.engine.stages import promote
from novum.core.events.campaign import IncumbentChanged
from novum.core.model.errors import IntegrityError
from novum.core.state.approvals import Permission
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def check_crowned(event: IncumbentChanged, state: CampaignState, due: str) -> None:
    """Hold a new incumbent against the record: the baseline, what was just supported, or the last that stands.

    due: the hypothesis that was supported by the event before and has to take its place. Raises IntegrityError.
    """
    if not state.incumbents:
        return
    if due and event.hypothesis == due and event.candidate.id == state.hypotheses[due].candidate.id:
        return
    if not due and _promoted(event, state):
        return
    present = state.hypotheses.get(state.incumbent.hypothesis or "")
    back = next(one for one in reversed(state.incumbents) if not _lost(one, state))
    earlier = (back.candidate.id, back.hypothesis) == (event.candidate.id, event.hypothesis)
    if due or present is None or not present.retracted or not earlier:
        raise IntegrityError("the incumbent changes without a supported hypothesis or a retraction behind it")


def allowed(state: CampaignState, hypothesis: Hypothesis) -> bool:
    """Whether the policy let a supported hypothesis become the incumbent by now."""
    return promote.may_promote(state, hypothesis) is Permission.GRANTED


def _promoted(event: IncumbentChanged, state: CampaignState) -> bool:
    """Whether a finding takes its place later, because people had to agree first."""
    finding = state.hypotheses.get(event.hypothesis or "")
    if finding is None or finding not in state.findings or finding.candidate.id != event.candidate.id:
        return False
    against = finding.registered.incumbent == state.incumbent.candidate.id
    return against and not finding.retracted and allowed(state, finding)


def _lost(one: IncumbentChanged, state: CampaignState) -> bool:
    """Whether an incumbent rests on a finding that was retracted."""
    return bool(one.hypothesis and state.hypotheses[one.hypothesis].retracted)
