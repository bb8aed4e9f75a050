from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.core.model.budget import Budget, Spent
from novum.core.model.errors import StudyError
from novum.governance.hard_budget import HardBudget, parse_budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("30s", Budget(wall_seconds=30)),
        ("5m", Budget(wall_seconds=300)),
        ("2h", Budget(wall_seconds=7200)),
        ("1.5 h", Budget(wall_seconds=5400)),
        ("500 trials", Budget(trials=500)),
        ("1 trial", Budget(trials=1)),
        ("cpu 10m", Budget(cpu_seconds=600)),
        ("5m, 500 trials, CPU 10m", Budget(300, 600, 500)),
        ("10s and 5 trials", Budget(wall_seconds=10, trials=5)),
    ],
)
def test_budgets_are_read(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5min", 300),
        ("5 mins", 300),
        ("2 hours", 7200),
        ("1hr", 3600),
        ("30sec", 30),
        ("90 seconds", 90),
        ("1 day", 86400),
    ],
)
def test_units_are_written_as_people_write_them(text, seconds):
    assert parse_budget(text) == Budget(wall_seconds=seconds)
    assert parse_budget(f"cpu {text}") == Budget(cpu_seconds=seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot read ''"),
        ("-5m", "cannot read '-5m'"),
        ("0s", "must be positive"),
        ("0 trials", "must be positive"),
        ("5", "cannot read '5'"),
        ("5m, 3m", "given twice"),
        ("five minutes", "500 trials"),
        ("nan s", "cannot read"),
        ("1e9999s", "cannot read"),
    ],
)
def test_bad_budgets_say_what_to_write(text, said):
    with pytest.raises(StudyError, match=said):
        parse_budget(text)


amounts = st.builds(Spent, st.integers(0, 1000), st.floats(0, 1000), st.floats(0, 1000))


@given(
    st.none() | st.integers(1, 1000),
    st.none() | st.floats(0.1, 1000),
    st.none() | st.floats(0.1, 1000),
    amounts,
    amounts,
)
def test_what_is_allowed_never_passes_a_bound(trials, cpu, wall, spent, demand):
    governor = HardBudget(Budget(wall, cpu, trials))
    if governor.refuses(spent, demand) is None:
        assert trials is None or spent.trials + demand.trials <= trials
        assert cpu is None or spent.cpu_seconds + demand.cpu_seconds <= cpu
        assert wall is None or spent.wall_seconds + demand.wall_seconds <= wall
    else:
        assert not (trials is cpu is wall is None)


def test_the_refusal_names_the_bound():
    assert HardBudget(Budget(trials=5)).refuses(Spent(5), Spent(1)) == "budget: 5 of 5 trials used"
    assert "seconds" in (HardBudget(Budget(wall_seconds=5)).refuses(Spent(0, 0, 9), Spent(1)) or "")
