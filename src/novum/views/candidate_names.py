"""What people call a candidate: its id or the beginning of it, a hypothesis about it, baseline, incumbent."""

from __future__ import annotations

from novum.core.model.candidate import ID_DIGITS, Candidate
from novum.core.model.errors import UserError
from novum.core.state.campaign_state import CampaignState

BASELINE, INCUMBENT = "baseline", "incumbent"


def candidate_of(state: CampaignState, name: str) -> str:
    """The id of a candidate by its id or the beginning of it, by a hypothesis, or as baseline or incumbent.

    Raises UserError.
    """
    if name == BASELINE:
        return state.incumbents[0].candidate.id
    if name == INCUMBENT:
        return state.incumbent.candidate.id
    if name in state.hypotheses:
        return state.hypotheses[name].candidate.id
    known = candidates(state) if len(name) > 3 else {}
    found = [one for one in known if one.startswith(name[:ID_DIGITS]) and known[one].digest.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{name!r} is the beginning of {len(found)} candidates: give more of it")
    raise UserError(f"no candidate is called {name!r}: give a hypothesis (h7), a candidate's id, baseline or incumbent")


def candidates(state: CampaignState) -> dict[str, Candidate]:
    """Every candidate by its id, those of proposals too that are not admitted yet: they wait for approval, say."""
    return {**{one.candidate.id: one.candidate for one in state.pending}, **state.candidates}
