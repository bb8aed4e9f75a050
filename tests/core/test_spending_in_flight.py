"""What is set aside for groups in flight adds up, in seconds, and nothing of it is left when they have landed."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from novum.core.events.trials import GroupDispatched
from novum.core.model.candidate import Candidate
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.state.spending import NOTHING, Spending


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e4), st.integers(1, 9)), max_size=20), st.randoms())
def test_it_is_the_sum_of_all_that_fly_and_nothing_once_they_have_landed(groups, rng):
    spending, flying = Spending(), {}
    for number, (cpu, gpu, count) in enumerate(groups):
        members = tuple(Member(at, {}) for at in range(count))
        plan = Plan(f"g{number}", Purpose.SCREEN, "c", Side.CANDIDATE, Candidate({"a": number}), members)
        spending.dispatched(GroupDispatched(plan, 1, 0.0, cpu, gpu))
        flying[plan.id] = (cpu, gpu, count)
        if rng.random() < 0.4:
            gone = rng.choice(sorted(flying))
            spending.landed(gone)
            spending.landed(gone)
            del flying[gone]
        now = spending.in_flight
        assert math.isclose(now.cpu_seconds, sum(one[0] for one in flying.values()), abs_tol=1e-9)
        assert math.isclose(now.gpu_seconds, sum(one[1] for one in flying.values()), abs_tol=1e-9)
        assert now.trials == sum(one[2] for one in flying.values())
    for name in flying:
        spending.landed(name)
    assert spending.in_flight == NOTHING
