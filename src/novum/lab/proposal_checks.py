"""A proposal from outside held to what the lab will ask of it, before it is sent: a mistake is better said at once."""

from __future__ import annotations

from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import StudyError, UserError
from novum.core.model.ports import Arena
from novum.core.state.campaign_state import CampaignState
from novum.lab import wiring


def known_arena(state: CampaignState) -> Arena:
    """The arena of a lab's study. Raises UserError for an arena that is not one of Novum's own."""
    if not wiring.has_arena(state.study):
        raise UserError(
            "the arena of this lab cannot be imported, so candidates cannot be checked: put its directory in PYTHONPATH"
        )
    return wiring.arena(state.study)


def admitted(state: CampaignState, arena: Arena, genome: Genome) -> Candidate:
    """The candidate of a genome in normal form, if it is a new one that the arena admits. Raises StudyError."""
    candidate = Candidate(genome)
    arena.cost(candidate.genome)
    incumbent = state.incumbent.candidate
    if candidate.id == incumbent.id or arena.space.key(candidate.genome) == arena.space.key(incumbent.genome):
        raise StudyError("this is the incumbent itself, or means the same: change something that matters")
    if candidate.id in state.known(incumbent.id):
        known = [one.id for one in state.hypotheses.values() if one.candidate.id == candidate.id]
        raise StudyError(f"this was tried against the present incumbent: see {', '.join(known)}, and propose another")
    return candidate
