"""The critic: what is to be said of a proposal before anything is spent on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from novum.core.events.proposals import ProposalMade
from novum.core.model.candidate import CandidateSpace, Cost, Space
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState
from novum.researchers.critic import (
    code_smells,
    cost_checks,
    gene_duplicates,
    leak_risks,
    program_duplicates,
    redacted,
    vague_claims,
)
from novum.source.space import SourceSpace


@dataclass(frozen=True)
class RuleCritic:
    """The Critic port. hidden: names of files that no candidate may see (see `ports.HidesFiles`)."""

    space: CandidateSpace
    hidden: Set[str] = frozenset()

    def review(self, state: CampaignState, proposal: ProposalMade, cost: Cost) -> Sequence[Remark]:
        """The remarks of every check, in a fixed order."""
        return tuple(self._remarks(state, proposal, cost))

    def _remarks(self, state: CampaignState, proposal: ProposalMade, cost: Cost) -> Iterator[Remark]:
        space: object = self.space
        yield from vague_claims.remarks(state, proposal)
        if isinstance(space, SourceSpace):
            yield from redacted.remarks(proposal, space)
            yield from program_duplicates.remarks(state, proposal, space)
            yield from leak_risks.remarks(state, proposal, space, self.hidden)
            yield from code_smells.remarks(state, proposal, space)
        elif isinstance(space, Space):
            yield from gene_duplicates.remarks(state, proposal)
        yield from cost_checks.remarks(state, cost)
