"""Findings on programs whose runs do not differ: what their seeds show, and what they cannot show."""

from __future__ import annotations

from novum.core.model.trial_plan import Side
from novum.core.state.hypothesis import Hypothesis

ENOUGH = 4
"""Runs of each side."""


def same_every_time(hypothesis: Hypothesis) -> str:
    """A sentence, where every run of a side gave the very same score; else nothing.

    Evidence counts pairs, and equal pairs repeat one another: they say that the gain is there, exactly, for the one
    instance that was run, and nothing of others.
    """
    sides = [hypothesis.runs[side].values() for side in (Side.CANDIDATE, Side.INCUMBENT)]
    scores = [{run.score for run in runs} for runs in sides]
    if any(len(runs) < ENOUGH for runs in sides) or any(len(one) != 1 or None in one for one in scores):
        return ""
    (mine,), (other,) = scores
    return (
        f"seeds change nothing here: each of its {len(sides[0])} runs gave {mine:.6g}, each of the incumbent's "
        f"{len(sides[1])} gave {other:.6g}; the gain is exact on this one instance, and says nothing of others"
    )
