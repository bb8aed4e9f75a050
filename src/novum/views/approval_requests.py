"""What waits for people: an act, its content, its likely cost, and how long silence is no answer yet."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.proposals import ProposalMade
from novum.core.model.candidate import ID_DIGITS, Genome
from novum.core.state.campaign_state import CampaignState
from novum.text.format import seconds
from novum.views.candidate_changes import change_words
from novum.views.finding_views.finding_details import remarked
from novum.views.patches import patch_of

MAX_GENES = 100_000
"""Characters of a change of genes: more than any study has."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the inbox."""

    id: str
    act: str
    author: str
    summary: str
    content: str
    change: str
    """A diff, or the genes that differ."""
    cost: str
    expires_in: float
    """Seconds of the campaign."""
    votes: str
    remarks: tuple[str, ...] = ()
    """What the critic said of the proposal."""


def waiting(state: CampaignState) -> list[Waiting]:
    """Approvals that nobody has decided yet, oldest first."""
    found = []
    for one in state.request_log.waiting:
        genome = _genome(state, one.asked.content)
        yes = [name for name, agreed in one.votes.items() if agreed]
        found.append(
            Waiting(
                id=one.asked.id,
                act=one.asked.act,
                author=one.asked.author,
                summary=one.asked.summary,
                content=one.asked.content,
                change=_change(state, genome) if genome is not None else "",
                cost=_cost(state, one.asked.act),
                expires_in=max(0.0, one.asked.expires - state.wall_seconds),
                votes=f"{len(yes)} of {state.study.policy.approvers} have approved",
                remarks=_remarks(state, one.asked.content),
            )
        )
    return found


def _genome(state: CampaignState, content: str) -> Genome | None:
    proposed: list[ProposalMade] = [one for one in state.pending if one.candidate.digest == content]
    if proposed:
        return proposed[0].candidate.genome
    known = state.candidates.get(content[:ID_DIGITS])
    return known.genome if known and known.digest == content else None


def _remarks(state: CampaignState, content: str) -> tuple[str, ...]:
    """What the critic remarked on the proposals of a candidate, those that wait and those that were registered."""
    waiting = [one.number for one in state.pending if one.candidate.digest == content]
    known = [one.registered.number for one in state.hypotheses.values() if one.candidate.digest == content]
    return tuple(words for number in dict.fromkeys(waiting + known) for words in remarked(state, number))


def _change(state: CampaignState, genome: Genome) -> str:
    return patch_of(state, genome) or change_words(state.study, genome, state.incumbent.candidate.genome, MAX_GENES)


def _cost(state: CampaignState, act: str) -> str:
    """What an act is likely to cost, by the dearest trials of late."""
    cpu, _ = state.prices.dearest
    gate, screening = state.study.gate, state.study.screening
    if act == "propose":
        return f"{seconds(cpu * screening.seeds)} of CPU to screen it"
    if act in ("quarantine", "spend"):
        return f"{seconds(cpu * 2 * (gate.max_pairs + gate.estimate_pairs))} of CPU at most to confirm it"
    return "one holdout query" if act == "holdout" else "no trial"
