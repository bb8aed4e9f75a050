"""Whether a verdict was recorded with the figures, and in the words, that its outcomes give."""

from __future__ import annotations

from novum.audit.checks.in_digits import Figure, differing
from novum.audit.checks.preflight_audit import by_this_version
from novum.core.events.verdicts import FollowUpClosed, VerdictReached
from novum.core.model.errors import IntegrityError
from novum.core.model.verdict import GuardrailEvidence, Judgement
from novum.core.state.campaign_state import CampaignState


def check_figures(event: VerdictReached | FollowUpClosed, now: Judgement, name: str) -> None:
    """Hold the figures of a verdict against what the gate says now. Raises IntegrityError."""
    figures: list[Figure] = [
        ("E", event.e_value, now.e_value),
        ("threshold", event.threshold, now.threshold),
        ("pairs", event.pairs, now.pairs),
        ("E against it", event.against, now.against),
    ]
    if isinstance(event, VerdictReached):
        figures += [("mean", event.mean or 0.0, now.mean or 0.0), ("failed runs", event.crashes, now.crashes)]
        figures += _guarded(event.guards, now.guards)
    elif event.level:  # records without intervals did not count them either
        figures.append(("failed runs", event.crashes, now.crashes))
    if said := differing(figures):
        raise IntegrityError(f"{name} was recorded with {said}: its outcomes give other figures")


def check_reason(event: VerdictReached | FollowUpClosed, now: Judgement, state: CampaignState) -> None:
    """Hold the words of a verdict against what this version says of it, if it wrote them. Raises IntegrityError."""
    if by_this_version(state) and event.reason != now.reason:
        raise IntegrityError(f"the verdict on {event.hypothesis} gives the reason {event.reason!r}, not {now.reason!r}")


def _guarded(told: tuple[GuardrailEvidence, ...], honest: tuple[GuardrailEvidence, ...]) -> list[Figure]:
    found: list[Figure] = [("guardrails", len(told), len(honest))]
    for one, other in zip(told, honest, strict=False):
        found += [
            (f"E of {other.metric}", one.e_value, other.e_value),
            (f"E against {other.metric}", one.against, other.against),
            (f"mean of {other.metric}", one.mean, other.mean),
            (f"observations of {other.metric}", one.observations, other.observations),
        ]
    return found
