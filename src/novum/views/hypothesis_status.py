"""Where each hypothesis stands, in words: a verdict, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HypothesisStatus:
    """Where a hypothesis stands."""

    outcome: str
    """Supported, refuted, inconclusive or failed; reason in words."""
    reason: str
    settled: bool
    """Whether it can still change."""


def hypothesis_status(state: CampaignState, hypothesis: Hypothesis) -> HypothesisStatus:
    """Where one hypothesis stands."""
    phase, verdict = hypothesis.phase, hypothesis.verdict
    if phase is Phase.CONFIRMING:
        pairs = len(hypothesis.pairs())
        return _inconclusive(f"confirmation open after {pairs} pairs; {_pause(state)}", False)
    if verdict is not None:
        return HypothesisStatus(verdict.verdict, verdict.reason, phase is Phase.CLOSED)
    if phase is Phase.FAILED and _is_stopped(state, hypothesis):
        return _inconclusive(_cause(state, hypothesis), True)
    if phase is Phase.FAILED:
        return HypothesisStatus(FAILED, _cause(state, hypothesis), True)
    if phase in (Phase.SUPERSEDED, Phase.STALE):
        return _inconclusive("screened; its incumbent was replaced before it was promoted", True)
    if phase is Phase.WITHDRAWN:
        return _inconclusive(f"withdrawn: {hypothesis.withdrawn}", True)
    if phase is Phase.QUARANTINED:
        return _inconclusive(f"in quarantine until the policy lets it be confirmed; {_pause(state)}", False)
    if phase is Phase.WAITING:
        gain = state.advantage(hypothesis)
        if gain is not None and hypothesis.id not in state.confirmation_queue:
            return HypothesisStatus(
                Verdict.INCONCLUSIVE, f"screened {gain:+.3g} against the incumbent, not promoted", False
            )
        shown = "" if gain is None else f" {gain:+.3g}"
        return _inconclusive(f"screened{shown}, waiting to be promoted; {_pause(state)}", False)
    return _inconclusive(f"screening unfinished; {_pause(state)}", False)


def _inconclusive(reason: str, settled: bool) -> HypothesisStatus:
    return HypothesisStatus(Verdict.INCONCLUSIVE, reason, settled)


def _pause(state: CampaignState) -> str:
    return "running" if state.session_open else state.end_reason or "the session stopped"


def _is_stopped(state: CampaignState, hypothesis: Hypothesis) -> bool:
    effort = state.sweep_costs.get(hypothesis.candidate.id)
    return bool(effort and effort.stopped)


def _cause(state: CampaignState, hypothesis: Hypothesis) -> str:
    effort = state.sweep_costs.get(hypothesis.candidate.id)
    return effort.failure if effort and effort.failure else "no setting gave a score"
