"""The change that a candidate makes to its study's program, where the candidates are programs."""

from __future__ import annotations

from novum.arenas.program.bundle import unpacked
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.state.campaign_state import CampaignState
from novum.source.patch import between, patch


def patch_of(state: CampaignState, genome: Genome) -> str:
    """A unified diff against the program that the study began with; empty for other studies."""
    if not state.opened or state.study.arena != "program":
        return ""
    try:
        return patch(unpacked(str(state.study.options.get("bundle", ""))).space, genome)
    except StudyError:
        return ""


def patch_between(state: CampaignState, one: Genome, other: Genome) -> str:
    """A unified diff from one candidate's program to another's; empty for other studies."""
    if not state.opened or state.study.arena != "program":
        return ""
    try:
        space = unpacked(str(state.study.options.get("bundle", ""))).space
        return between(space.complete(one), space.complete(other))
    except StudyError:
        return ""
