"""Where each hypothesis stands, in words: a verdict, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a hypothesis stands."""

    outcome: str
    """Supported, refuted, inconclusive or failed; reason in words."""
    reason: str
    settled: bool
    """Whether it can still change."""


def standing(state: CampaignState, hypothesis: Hypothesis) -> Standing:
    """The standing of one hypothesis."""
    phase, verdict = hypothesis.phase, hypothesis.verdict
    if phase is Phase.CONFIRMING:
        pairs = len(hypothesis.pairs())
        return Standing(Verdict.INCONCLUSIVE, f"confirmation open after {pairs} pairs; {_pause(state)}", False)
    if verdict is not None:
        return Standing(verdict.verdict, verdict.reason, phase is Phase.CLOSED)
    if phase is Phase.FAILED:
        return Standing(FAILED, _cause(state, hypothesis), True)
    if phase in (Phase.SUPERSEDED, Phase.STALE):
        return Standing(Verdict.INCONCLUSIVE, "screened; its incumbent was replaced before it was promoted", True)
    if phase is Phase.WITHDRAWN:
        return Standing(Verdict.INCONCLUSIVE, f"withdrawn: {hypothesis.withdrawn}", True)
    if phase is Phase.QUARANTINED:
        return Standing(
            Verdict.INCONCLUSIVE, f"in quarantine until the policy lets it be confirmed; {_pause(state)}", False
        )
    if phase is Phase.WAITING:
        gain = state.advantage(hypothesis)
        if gain is not None and hypothesis.id not in state.confirmation_queue:
            return Standing(Verdict.INCONCLUSIVE, f"screened {gain:+.3g} against the incumbent, not promoted", False)
        shown = "" if gain is None else f" {gain:+.3g}"
        return Standing(Verdict.INCONCLUSIVE, f"screened{shown}, waiting to be promoted; {_pause(state)}", False)
    return Standing(Verdict.INCONCLUSIVE, f"screening unfinished; {_pause(state)}", False)


def _pause(state: CampaignState) -> str:
    return "running" if state.session_open else state.end_reason or "the session stopped"


def _cause(state: CampaignState, hypothesis: Hypothesis) -> str:
    effort = state.sweep_costs.get(hypothesis.candidate.id)
    return effort.failure if effort and effort.failure else "no setting gave a score"
