"""Promotion: a finding becomes the incumbent, at once or when people agree, and what rested on the last one ends."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from novum.core.engine.claim import renewed
from novum.core.engine.context import Campaign
from novum.core.engine.verdict_events import stopped
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Event
from novum.core.events.trials import ScaleMeasured
from novum.core.model.candidate import Candidate
from novum.core.model.trial_plan import Purpose, Side
from novum.core.model.verdict import Account
from novum.core.state.approvals import Permission, ask_for, permission
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase

FEWEST_RUNS_FOR_SCALE = 6
PROMOTE = "promote"


def crown(campaign: Campaign, hypothesis: Hypothesis) -> Iterator[Event]:
    """The candidate becomes the one to beat."""
    yield IncumbentChanged(hypothesis.candidate, hypothesis.registered.cost, hypothesis.id)
    yield from scale_of(hypothesis, campaign.state)


def make_incumbent(campaign: Campaign, account: Account, hypothesis: Hypothesis) -> Iterator[Event]:
    """The candidate becomes the one to beat, with all that follows."""
    yield from crown(campaign, hypothesis)
    others = [other for other in campaign.state.open_hypotheses(Phase.CONFIRMING) if other.id != hypothesis.id]
    yield from supersede(campaign, account, others, hypothesis.candidate)


def may_promote(state: CampaignState, hypothesis: Hypothesis) -> Permission:
    """Whether the policy lets a supported hypothesis become the incumbent."""
    author, content = hypothesis.registered.author, hypothesis.candidate.digest
    return permission(state.study.policy, state.request_log.approvals, PROMOTE, author, content)


def promote(campaign: Campaign) -> list[Event]:
    """Findings that wait for people before they take the incumbent's place."""
    if not campaign.study.policy.rules:
        return []
    for one in campaign.state.findings:
        against = one.registered.incumbent == campaign.state.incumbent.candidate.id
        if not against or one.retracted:
            continue
        match may_promote(campaign.state, one):
            case Permission.GRANTED:
                return list(make_incumbent(campaign, campaign.state.account, one))
            case Permission.NEEDED:
                author, content, size = one.registered.author, one.candidate.digest, one.finding
                effect = f", {size.effect:+.4g} on fresh pairs" if size and size.effect is not None else ""
                words = f"{one.id} was confirmed{effect}: shall it be the incumbent?"
                return [ask_for(PROMOTE, author, content, words, campaign.state.wall_seconds, campaign.study.policy)]
    return []


def supersede(
    campaign: Campaign, account: Account, others: Sequence[Hypothesis], incumbent: Candidate
) -> Iterator[Event]:
    """Close confirmations whose incumbent has been replaced, and claim the promising ones anew."""
    count = len(campaign.state.hypotheses)
    for other in others:
        closed = stopped(
            campaign.state, account, campaign.context, other, "superseded: another candidate became the incumbent"
        )
        account = replace(account, cash=closed.cash, discoveries=closed.discoveries)
        yield closed
        if again := renewed(campaign, other, incumbent, f"h{count + 1}"):
            count += 1
            yield again


def scale_of(hypothesis: Hypothesis, state: CampaignState) -> Iterator[ScaleMeasured]:
    """The new incumbent's noise from its own fresh runs, if there are enough: they differ in the seed alone."""
    spec, fewest = state.spec, min(FEWEST_RUNS_FOR_SCALE, state.study.gate.calibration_runs)
    runs = [run for run in hypothesis.runs[Side.CANDIDATE].values() if run.score is not None]
    if len(runs) >= fewest:
        scores = [run.score for run in runs if run.score is not None]
        sigma = _sigma(scores, log=spec.log)
        others = {one.name: _sigma([run.others[one.name] for run in runs], log=one.log) for one in spec.metrics}
        mean = statistics.fmean(scores)
        yield ScaleMeasured(hypothesis.candidate.id, sigma, mean, len(scores) // 2, Purpose.CONFIRM, None, others)


def _sigma(values: Sequence[float], *, log: bool) -> float:
    """Standard deviation of the difference of two runs, from single ones."""
    return statistics.stdev([math.log(value) for value in values] if log else values) * math.sqrt(2)
