"""Vague claims: no reason, a prediction that cannot be wrong by a little, more gain than there is room for."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.proposals import ProposalMade
from novum.core.model.arena_spec import room
from novum.core.model.intervention import Remark
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
    most = _most(state)
    if most is not None and proposal.effect > most:
        words = (
            f"it expects a gain of {proposal.effect:.4g}, and between the incumbent and the best score are {most:.4g}"
        )
        yield Remark(CHECK, words)


def _most(state: CampaignState) -> float | None:
    """The largest gain that the metric leaves over the incumbent, in its units; None where that is not known."""
    level = state.level(state.incumbent.candidate.id)
    left = None if level is None else room(state.spec, level)
    return None if left is None else left + state.spec.resolution
