"""What a proposal would cost: by construction beside the incumbent, and to its end beside what the budget leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator

from novum.core.model.candidate import Cost
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState

CHECK, MEANS = "cost", "means"
FACTOR = 10.0
"""How many times the incumbent's cost is worth a remark."""

_NAMES = (("flop", "FLOP a trial"), ("state_floats", "floats of state"), ("parameters", "parameters"))


def remarks(state: CampaignState, cost: Cost) -> Iterator[Remark]:
    """A candidate far dearer than the incumbent, and one that can no longer be confirmed."""
    theirs = state.incumbent.cost
    for field, words in _NAMES:
        mine, other = getattr(cost, field), getattr(theirs, field)
        # Where nothing but parameters is counted they say little of what a trial costs: neighbours keep all rows.
        if other and mine >= FACTOR * other and (field != "parameters" or cost.flop or cost.state_floats):
            yield Remark(CHECK, f"it takes {mine:,.4g} {words}, the incumbent {other:,.4g}")
    if short := _short(state):
        yield Remark(MEANS, short)


def _short(state: CampaignState) -> str:
    """Why what is left of the budget does not reach for one more confirmation; said once in a session."""
    study, spec, budget = state.study, state.spec, state.budget
    if budget.trials is None and budget.cpu_seconds is None:
        return ""
    gate = study.gate
    # E at most doubles with a pair, and no threshold lies below 1 / alpha.
    fewest = min(gate.max_pairs, math.ceil(math.log2(1.0 / gate.alpha)))
    needed = len(spec.tuning) * study.screening.seeds + 2 * (fewest + gate.estimate_pairs)
    used, head = state.spent, f"what session {state.session} has left"
    words = ""
    if budget.trials is not None and budget.trials - used.trials < needed:
        words = f"{head}, {max(0, budget.trials - used.trials)} trials, is less than the {needed} that"
    elif budget.cpu_seconds is not None:
        left, seconds = budget.cpu_seconds - used.cpu_seconds, needed * state.prices.dearest[0]
        if seconds > left:
            words = f"{head}, {max(0.0, left):.1f} CPU seconds, is less than the {seconds:.1f} that"
    if not words or _said(state, head):
        return ""
    return f"{words} screening and the shortest confirmation would take"


def _said(state: CampaignState, head: str) -> bool:
    """Whether the latest remark of this kind is from this session."""
    reviews = (one for review in reversed(state.intervention_log.reviews.values()) for one in review.remarks)
    latest = next((one for one in reviews if one.check == MEANS), None)
    return latest is not None and latest.words.startswith(head)
