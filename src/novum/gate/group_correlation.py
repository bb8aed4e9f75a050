"""Whether runs of one trial group agree more than runs of different groups: pairs would then not be independent.

The statistic is the intraclass correlation of the baseline's runs (one-way analysis of variance, Shrout and Fleiss
1979, ICC(1)); its chance level is that of random assignments of the same runs to groups of the same sizes.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

from novum.core.events.campaign import Check

NAME = "groups"
SHUFFLES, MORE_SHUFFLES = 999, 2_999
DOUBT, SURE = 0.01, 0.002
"""Chance levels below which groups may be correlated, which is a note, and below which they are said to be: a refusal
must not befall one sound study in a hundred."""
MUCH = 0.2
"""Intraclass correlation from which on the guarantee is in question: a share of .3 raised false supports twentyfold."""


def group_correlation(groups: Sequence[Sequence[float]]) -> Check | None:
    """The check on scores by trial group; None where there are not two groups of two runs and any spread."""
    known = [list(scores) for scores in groups if scores]
    flat = [score for scores in known for score in scores]
    if len(known) < 2 or len(flat) < len(known) + 2 or statistics.pvariance(flat) == 0.0:
        return None
    icc = intraclass(known)
    chance = _chance(known, flat, icc, SHUFFLES)
    if chance <= DOUBT:
        chance = _chance(known, flat, icc, MORE_SHUFFLES)
    figures = {"icc": icc, "chance": chance, "groups": float(len(known)), "runs": float(len(flat))}
    seen = f"{len(flat)} runs in {len(known)} trial groups: intraclass correlation {icc:.2f}"
    if chance > DOUBT or icc < MUCH:
        return Check(NAME, True, f"{seen}, as by chance (p = {chance:.2g})", figures)
    if chance > SURE:
        words = (
            f"{seen} (p = {chance:.2g} by chance): runs of one group may share something, which would mislead the gate"
        )
        return Check(NAME, None, words, figures)
    words = (
        f"{seen} (p = {chance:.2g} by chance): runs of one group share something, so that pairs are not independent "
        "and false findings are more likely than promised; give each trial its own draws, or a group of its own"
    )
    return Check(NAME, False, words, figures)


def intraclass(groups: Sequence[Sequence[float]]) -> float:
    """ICC(1) of values in groups of unequal sizes; negative where groups differ less than by chance."""
    flat = [value for group in groups for value in group]
    n, k, mean = len(flat), len(groups), statistics.fmean(flat)
    between = sum(len(group) * (statistics.fmean(group) - mean) ** 2 for group in groups) / (k - 1)
    within = sum((value - statistics.fmean(group)) ** 2 for group in groups for value in group) / (n - k)
    size = (n - sum(len(group) ** 2 for group in groups) / n) / (k - 1)
    below = between + (size - 1) * within
    return (between - within) / below if below > 0 else 0.0


def _chance(groups: Sequence[Sequence[float]], flat: Sequence[float], seen: float, shuffles: int) -> float:
    """The share of random assignments with at least the correlation that was seen, itself included."""
    rng, found = random.Random("groups"), 1
    values = list(flat)
    for _ in range(shuffles):
        rng.shuffle(values)
        drawn, start = [], 0
        for group in groups:
            drawn.append(values[start : start + len(group)])
            start += len(group)
        found += intraclass(drawn) >= seen - 1e-12
    return found / (shuffles + 1)
