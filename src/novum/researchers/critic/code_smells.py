"""What seldom ends well in a program, and only what the change brings in. It may be meant, so nothing is refused."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.proposals import ProposalMade
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState
from novum.researchers.critic.code_features import changed
from novum.source.space import SourceSpace

CHECK = "static"


def remarks(state: CampaignState, proposal: ProposalMade, space: SourceSpace) -> Iterator[Remark]:
    """Loops without an end, errors that are passed over, questions to nobody."""
    incumbent = state.incumbent.candidate.genome
    for path, mine, before in changed(proposal.candidate.genome, incumbent, space):
        for words, line in mine.habits.items():
            if not any(words in known.habits for known in before):
                yield Remark(CHECK, f"{path}:{line}: {words}")
