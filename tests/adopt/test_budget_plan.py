"""The plan that is told beforehand adds up, and a budget that is too small is told what would do."""

from __future__ import annotations

import re

import pytest

from novum.adopt.budget_plan import plan_words
from novum.core.model.budget import Budget


@pytest.mark.parametrize("seconds", [0.5, 4.3, 30.0])
@pytest.mark.parametrize("workers", [1, 2, 16])
def test_what_is_planned_can_be_paid(seconds, workers):
    words = plan_words(seconds, seconds, Budget(wall_seconds=3600), workers)
    runs, _, baseline, ideas, confirmed = map(int, re.findall(r"(?<![\d.])\d+(?![\d.])", words.split(";")[1]))
    assert runs == int(3600 * workers / seconds)
    assert baseline + 2 * ideas + 20 * confirmed <= runs


def test_a_run_of_twenty_minutes_is_told_what_it_takes():
    words = plan_words(1200.0, 1200.0, Budget(wall_seconds=600), 2)
    assert "this budget pays for 1, and a finding takes about 60: give 10.0h or more on 2 worker(s)" in words


def test_every_bound_counts():
    assert "pays for 70 " in plan_words(1.0, 2.0, Budget(wall_seconds=3600, cpu_seconds=140), 2)
    assert "pays for 3," in plan_words(1.0, 2.0, Budget(wall_seconds=3600, trials=3), 2)
