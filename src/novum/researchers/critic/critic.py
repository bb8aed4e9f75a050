"""The critic: what is to be said of a proposal before anything is spent on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from novum.core.events import ProposalMade, Remark
from novum.core.nouns import Cost, Space
from novum.core.ports import CandidateSpace
from novum.core.state import State
from novum.researchers.critic import claims, costs, genes, habits, leaks, programs, withheld
from novum.source.space import SourceSpace


@dataclass(frozen=True)
class RuleCritic:
    """The Critic port. hidden: names of files that no candidate may see (see `ports.HidesFiles`)."""

    space: CandidateSpace
    hidden: Set[str] = frozenset()

    def review(self, state: State, proposal: ProposalMade, cost: Cost) -> Sequence[Remark]:
        """The remarks of every check, in a fixed order."""
        return tuple(self._remarks(state, proposal, cost))

    def _remarks(self, state: State, proposal: ProposalMade, cost: Cost) -> Iterator[Remark]:
        space: object = self.space
        yield from claims.remarks(state, proposal)
        if isinstance(space, SourceSpace):
            yield from withheld.remarks(proposal, space)
            yield from programs.remarks(state, proposal, space)
            yield from leaks.remarks(state, proposal, space, self.hidden)
            yield from habits.remarks(state, proposal, space)
        elif isinstance(space, Space):
            yield from genes.remarks(state, proposal)
        yield from costs.remarks(state, cost)
