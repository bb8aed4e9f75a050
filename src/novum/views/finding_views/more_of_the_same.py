"""Is a finding better, or more of the same? What the best of several runs of the incumbent would reach at its cost.

From runs that are there already: the incumbent's on fresh seeds. The best of k is chosen in hindsight by the score
itself, which is more than anybody could do beforehand, so the comparison favours the incumbent.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.trial_costs import compute_of

FEWEST = 8
"""Runs of the incumbent without which its best says little."""


@dataclass(frozen=True, slots=True)
class MoreOfTheSame:
    """Candidate and incumbent at equal cost, in metric units.

    ratio: compute of a trial of the candidate over the incumbent's; tries: runs of the incumbent at the candidate's
    cost; best: what the best of so many reaches on average; mean: of the candidate's fresh runs; needed: the fewest
    runs of the incumbent whose best reaches that, None where not even all `runs` do.
    """

    ratio: float
    tries: int
    best: float
    mean: float
    needed: int | None
    runs: int


def more_of_the_same(state: CampaignState, hypothesis: Hypothesis, rule: ConfirmationOpened) -> MoreOfTheSame | None:
    """The comparison for a supported claim; None with fewer than eight scored runs of the incumbent."""
    assert hypothesis.verdict
    both = hypothesis.runs
    fresh = [run for index, run in both[Side.CANDIDATE].items() if index >= hypothesis.verdict.pairs]
    mine = [run.score for run in fresh if run.score is not None]
    others = [*both[Side.INCUMBENT].values(), *state.calibration.get(rule.incumbent.id, {}).values()]
    theirs = [run.score for run in others if run.score is not None]
    if not mine or len(theirs) < FEWEST:
        return None
    sizes = Counter(run.group for run in (*both[Side.CANDIDATE].values(), *others))
    ratio = _ratio(*([compute_of(run, sizes[run.group], state.spec.gpus) for run in side] for side in (fresh, others)))
    tries = max(1, min(len(theirs), round(ratio)))
    sign = 1.0 if rule.higher_is_better else -1.0
    ranked = sorted(sign * score for score in theirs)
    mean = statistics.fmean(mine)
    needed = next((k for k in range(1, len(ranked) + 1) if best_of(ranked, k) >= sign * mean), None)
    return MoreOfTheSame(ratio, tries, sign * best_of(ranked, tries), mean, needed, len(theirs))


def best_of(ranked: Sequence[float], k: int) -> float:
    """The expected largest of k of these values drawn without replacement; `ranked` ascends, 1 <= k <= their number.

    P(the i-th smallest is the largest of k) = C(i - 1, k - 1) / C(n, k).
    """
    n = len(ranked)
    return math.fsum(value * math.comb(i, k - 1) for i, value in enumerate(ranked)) / math.comb(n, k)


def same_text(one: MoreOfTheSame) -> str:
    """The same in words."""
    cost = "costs the same" if one.tries == 1 else f"costs {one.ratio:.1f} times as much"
    what = "a run of the incumbent"
    if one.tries > 1:
        what = f"the best of {one.tries} runs of the incumbent, chosen in hindsight,"
    needed = f"it takes the best of {one.needed}" if one.needed else f"not even the best of all {one.runs} does"
    return (
        f"more of the same: a trial {cost}; {what} reaches {one.best:.4g} on average, the candidate {one.mean:.4g}; "
        f"to reach that {needed}"
    )


def _ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """Mean cost over mean cost; 1 where nothing was measured."""
    below = statistics.fmean(theirs)
    return statistics.fmean(mine) / below if below > 0 else 1.0
