"""Near-duplicates of failures, in genes: what differs in one gene from candidates that gave no score."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.proposals import ProposalMade
from novum.core.model.candidate import Genome
from novum.core.model.intervention import Remark
from novum.core.model.trial import OutcomeKind
from novum.core.state.author_stats import alike
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.text.format import written

CHECK = "near-duplicate"
MEMORY = 64
"""How many of the latest screened hypotheses are looked at."""

ENOUGH = 3
"""Neighbours that failed alike, after which one more is not tried."""

SHOWN = 4
CAUSE = 160


def remarks(state: CampaignState, proposal: ProposalMade) -> Iterator[Remark]:
    """Failed candidates at distance one; three that failed alike, with none that scored, are reason enough."""
    mine = proposal.candidate.genome
    near = [one for one in _failed(state) if _neighbours(mine, one.candidate.genome) and not lost(state, one)]
    if not near:
        return
    alikes = _most_alike(state, near)
    shared = _shared(mine, alikes)
    words = f"differs in one gene from {named(alikes)}, which failed with {shared} ({cause(state, alikes[-1])})"
    refuses = len(alikes) >= ENOUGH and not _scored_nearby(state, mine)
    yield Remark(CHECK, words, refuses)


def failed(state: CampaignState) -> list[Hypothesis]:
    """The latest hypotheses that gave no score, but those that the machine lost."""
    return [one for one in _failed(state) if not lost(state, one)]


def lost(state: CampaignState, one: Hypothesis) -> bool:
    """Whether the machine lost its trials, or the lab ended them early: neither says that the idea cannot run."""
    return cause(state, one).startswith((f"{OutcomeKind.LOST}:", f"{OutcomeKind.STOPPED}:"))


def _failed(state: CampaignState) -> list[Hypothesis]:
    return [one for one in state.screened[-MEMORY:] if one.phase is Phase.FAILED]


def cause(state: CampaignState, one: Hypothesis) -> str:
    """Why a hypothesis gave no score, in a line."""
    effort = state.sweep_costs.get(one.candidate.id)
    return " ".join((effort.failure if effort and effort.failure else "no setting gave a score").split())[:CAUSE]


def named(found: list[Hypothesis]) -> str:
    """The names of the latest of them."""
    more = f" and {len(found) - SHOWN} others" if len(found) > SHOWN else ""
    return ", ".join(one.id for one in found[-SHOWN:]) + more


def _neighbours(one: Genome, other: Genome) -> bool:
    """Whether exactly one gene differs."""
    different = False
    for name, value in one.items():
        if other.get(name) != value:
            if different:
                return False
            different = True
    return different and len(one) == len(other)


def _most_alike(state: CampaignState, near: list[Hypothesis]) -> list[Hypothesis]:
    """The largest part of them that failed for one reason, the earliest of equals."""
    by_cause: dict[str, list[Hypothesis]] = {}
    for one in near:
        by_cause.setdefault(alike(cause(state, one)), []).append(one)
    return max(by_cause.values(), key=len)


def _scored_nearby(state: CampaignState, genome: Genome) -> bool:
    """Whether any candidate at distance one has ever given a score: a finding, the incumbent, or another of late."""
    known = (one.candidate for one in state.screened[-MEMORY:] if one.phase is not Phase.FAILED)
    others = (one.candidate for one in state.incumbents)
    return any(_neighbours(genome, one.genome) for one in (*others, *known))


def _shared(genome: Genome, near: list[Hypothesis]) -> str:
    """The gene values that it shares with all of them."""
    same = [
        f"{name}={' '.join(written(value).split())[:40]}"
        for name, value in genome.items()
        if all(one.candidate.genome.get(name) == value for one in near)
    ]
    return ", ".join(same) or "no gene in common"
