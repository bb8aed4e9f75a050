"""The plan of the evidence ledger: stakes for as many confirmations as the budget can pay.

Any stakes are lawful that are known beforehand and never exceed the cash, so a plan may follow a plan: when its
confirmations have been opened, or when the budget has been raised. A part of the evidence is kept back for that.
"""

from __future__ import annotations

from novum.core.events.evidence_account import EvidencePlanned
from novum.core.model.study import Study
from novum.core.state.campaign_state import CampaignState

LONG = 20
"""Confirmations from which on a plan has no last one: stakes then shrink with the cash, as in a long campaign."""

KEPT = 0.02
"""Share of the evidence that is kept back for a later plan."""

USUAL_PAIRS = 14
"""Pairs that a confirmation takes on average, of a true effect or of none."""


def due(state: CampaignState) -> EvidencePlanned | None:
    """The plan that the next confirmation needs before it opens, None where the study fixed one or the last stands."""
    gate, account = state.study.gate, state.account
    if gate.planned or not gate.refunds:
        return None
    spent = account.least == 1 and account.opened >= account.horizon
    if account.horizon and not spent and state.planned_for == state.budget:
        return None
    trials = trials_each(state.study, len(state.spec.tuning))
    count = max(1, min(LONG, payable(state, trials)))
    evidence = account.cash + account.kept
    kept = KEPT * evidence
    least = gate.stake_floor if count == LONG else 1
    return EvidencePlanned(account.opened + 1, count, least, trials, evidence - kept, kept)


def trials_each(study: Study, settings: int) -> float:
    """Trials that one confirmation takes on average, with the screening of the candidates it is chosen from."""
    screening = study.screening
    first = min(screening.first_seeds, screening.seeds)
    seeds = first + (screening.seeds - first) / screening.advance_one_in
    return max(screening.keep_one_in, screening.patience) * settings * seeds + 2 * min(
        USUAL_PAIRS, study.gate.max_pairs
    )


def payable(state: CampaignState, trials: float) -> int:
    """Confirmations that what is left of the budget pays, at `trials` each and at the cost of trials so far."""
    budget, spent, done = state.budget, state.spent, max(1, state.trials)
    found = [float(LONG)]
    if budget.trials is not None:
        found.append((budget.trials - spent.trials) / trials)
    if budget.cpu_seconds is not None and state.cpu_seconds > 0:
        found.append((budget.cpu_seconds - spent.cpu_seconds) / (trials * state.cpu_seconds / done))
    if budget.wall_seconds is not None and state.wall_seconds > 0:
        found.append((budget.wall_seconds - spent.wall_seconds) / (trials * state.wall_seconds / done))
    return int(min(found))
