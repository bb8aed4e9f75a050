"""A program whose runs never differ is told so, and only such a one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from novum.core.model.trial_plan import Side
from novum.views.finding_views.same_every_time import same_every_time


def hypothesis(mine, other):
    runs = [{at: SimpleNamespace(score=score) for at, score in enumerate(scores)} for scores in (mine, other)]
    return SimpleNamespace(runs=dict(zip((Side.CANDIDATE, Side.INCUMBENT), runs, strict=True)))


def test_equal_runs_are_told():
    said = same_every_time(hypothesis([1.5] * 6, [2.25] * 5))
    assert "each of its 6 runs gave 1.5, each of the incumbent's 5 gave 2.25" in said and "one instance" in said


@pytest.mark.parametrize(
    ("mine", "other"),
    [([1.5] * 5 + [1.5001], [2.0] * 6), ([1.5] * 6, [2.0, 2.1] * 3), ([1.5] * 3, [2.0] * 6), ([None] * 6, [2.0] * 6)],
)
def test_others_are_not(mine, other):
    assert same_every_time(hypothesis(mine, other)) == ""
