"""Whether a claim is one that the study allows: registered once, on its metric, in its direction, by its margin.

And whether it was kept from its confirmation only while that had not begun.
"""

from __future__ import annotations

from novum.core.engine.claim import claimed_delta
from novum.core.engine.distillation import distilled
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisRegistered, HypothesisWithdrawn, ProposalMade
from novum.core.model.candidate import CandidateSpace
from novum.core.model.errors import IntegrityError
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase

_OPEN = (Phase.CONFIRMING, Phase.ESTIMATING)
_FROM = {Step.QUARANTINE: (Phase.SCREENING, Phase.WAITING), Step.RELEASE: (Phase.QUARANTINED,)}
"""The phases in which a hypothesis may be put into quarantine, and let go from it."""


def check_claim(event: HypothesisRegistered, state: CampaignState) -> None:
    """Hold a registration against the study and the record before it. Raises IntegrityError."""
    if event.id in state.hypotheses:
        raise IntegrityError(f"{event.id} is registered a second time")
    said = event.metric, event.higher_is_better, event.delta
    if said != (state.spec.metric, state.spec.higher_is_better, claimed_delta(state, event.author)):
        raise IntegrityError(f"{event.id} claims something else than the study asks")


def check_distilled(event: ProposalMade, state: CampaignState, space: CandidateSpace | None) -> None:
    """Hold a smaller candidate against what the finding's parts were found to do. Raises IntegrityError."""
    expected = distilled(state, space) if space else None
    if space and (expected is None or expected.candidate.id != event.candidate.id):
        raise IntegrityError(f"proposal {event.number} is not the smaller form of the incumbent")


def check_withheld(event: HypothesisWithdrawn | Intervened, state: CampaignState) -> None:
    """Oversight may keep a hypothesis from its confirmation, never from the end of one. Raises IntegrityError."""
    name = event.hypothesis if isinstance(event, HypothesisWithdrawn) else event.subject
    one = state.hypotheses.get(name)
    if isinstance(event, Intervened):
        if event.alarm is not Alarm.TOO_GOOD or event.step not in _FROM or one is None:
            return
        if one.phase not in _FROM[event.step]:
            raise IntegrityError(f"{name} is {one.phase}, and was put into quarantine or let go from it ({event.step})")
    elif one is None or one.phase in _OPEN or one.finding:
        raise IntegrityError(f"{name} was withdrawn after its confirmation had been opened, or was never registered")
