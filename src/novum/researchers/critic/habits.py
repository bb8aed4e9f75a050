"""What seldom ends well in a program, and only what the change brings in. It may be meant, so nothing is refused."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events import ProposalMade, Remark
from novum.core.state import State
from novum.researchers.critic.traits import changed
from novum.source.space import SourceSpace

CHECK = "static"


def remarks(state: State, proposal: ProposalMade, space: SourceSpace) -> Iterator[Remark]:
    """Loops without an end, errors that are passed over, questions to nobody."""
    incumbent = state.incumbent.candidate.genome
    for path, mine, before in changed(proposal.candidate.genome, incumbent, space):
        for words, line in mine.habits.items():
            if not any(words in known.habits for known in before):
                yield Remark(CHECK, f"{path}:{line}: {words}")
