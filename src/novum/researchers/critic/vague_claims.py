"""Vague claims: no reason, a prediction that cannot be wrong by a little, more gain than there is room for."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.proposals import ProposalMade
from novum.core.model.intervention import Remark
from novum.core.model.metric import gain
from novum.core.state.campaign_state import CampaignState

CHECK = "vague claim"
WORDS = 3
"""Words of a rationale below which it gives no reason."""


def remarks(state: CampaignState, proposal: ProposalMade) -> Iterator[Remark]:
    """What is vague, or too much, about the claim."""
    if len(proposal.rationale.split(maxsplit=WORDS)) < WORDS:
        said = (
            f"its only reason is {proposal.rationale.strip()!r}" if proposal.rationale.strip() else "it has no reason"
        )
        yield Remark(CHECK, said)
    if proposal.probability in (0.0, 1.0):
        certain = "certain" if proposal.probability else "impossible"
        yield Remark(CHECK, f"it calls its own support {certain} (probability {proposal.probability:g})")
    room = _room(state)
    if room is not None and proposal.effect > room:
        words = (
            f"it expects a gain of {proposal.effect:.4g}, and between the incumbent and the best score are {room:.4g}"
        )
        yield Remark(CHECK, words)


def _room(state: CampaignState) -> float | None:
    """The largest gain that the metric leaves over the incumbent, in its units; None where that is not known."""
    spec = state.spec
    level = state.level(state.incumbent.candidate.id)
    if spec.ceiling is None or level is None:
        return None
    if spec.log and spec.ceiling <= 0:
        return None
    return gain(spec.ceiling, level, higher_is_better=spec.higher_is_better, log=spec.log) + spec.resolution
