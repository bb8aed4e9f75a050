"""The tail watch: later runs of a finding, which cost nothing more, may refute what it claimed."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.engine.stages.follow_up import retract
from novum.core.events.event import Event
from novum.core.events.event_ports import TailGate
from novum.core.events.evidence_account import TailRefuted
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis

EVERY = 8
"""Runs between two looks."""

FEWEST_LEVELS = 4
"""Fresh scores of what was replaced, below which nothing can be held against it."""


def decide(campaign: Campaign) -> list[Event]:
    """The retraction of a finding whose later runs refute it, with what was built on it."""
    if campaign.context.tails is None:
        return []
    for hypothesis in campaign.state.findings:
        if event := refutation(campaign.state, campaign.context.tails, hypothesis):
            return [event, *retract(campaign, hypothesis)]
    return []


def refutation(state: CampaignState, tails: TailGate, hypothesis: Hypothesis) -> TailRefuted | None:
    """What the later runs of a finding say at each eighth of them, when that refutes it; None otherwise."""
    runs = state.later_runs.get(hypothesis.id, [])
    if not runs or len(runs) % EVERY or hypothesis.retracted or hypothesis.rule is None or hypothesis.finding is None:
        return None
    rule, claimed = hypothesis.rule, hypothesis.finding.effect
    before = [*state.calibration.get(rule.incumbent.id, {}).values(), *hypothesis.runs[Side.INCUMBENT].values()]
    levels = [run.score for run in before if run.score is not None]
    if claimed is None or len(levels) < FEWEST_LEVELS:
        return None
    now = tails.watch(rule, claimed, levels, [run.score for run in runs])
    if not now.refuted:
        return None
    return TailRefuted(hypothesis.id, now.runs, now.mean, now.wanted, now.worst, now.losses, now.e_value)
