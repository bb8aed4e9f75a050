"""What candidates cost relative to the trials around them: a machine that becomes slower makes nobody dear."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace

from novum.core.events.trials import TrialFinished
from novum.core.model.trial import OutcomeKind
from novum.core.state.trial_costs import SweepCost, TrialPrices, compute_of


def finished(cpu: float) -> TrialFinished:
    return TrialFinished(
        "g.0",
        "g",
        0,
        OutcomeKind.SCORED,
        1.0,
        cause="",
        artefact=None,
        cpu_seconds=cpu,
        wall_seconds=cpu,
        peak_bytes=0,
        elapsed=0.0,
    )


def relative_costs(slowdown, dear: float, seed: int) -> list[float]:
    """Costs of 60 candidates of two trials each; every fifth takes `dear` times as long."""
    rng, prices, found = random.Random(seed), TrialPrices(), []
    for number in range(60):
        cost = SweepCost()
        for _ in range(2):
            own = dear if number % 5 == 4 else 1.0
            event = finished(7.0 * slowdown(number) * own * rng.gauss(1.0, 0.03))
            prices.add(event, 1, 0, as_screening=True)
            cost.add(event, event.cpu_seconds, prices.at_present(7.0))
        found.append(cost.relative / cost.trials)
    return found


def test_a_slower_machine_makes_no_candidate_dear_and_a_dear_one_stays_dear():
    for slowdown in (lambda _: 1.0, lambda number: 1.35 if number > 20 else 1.0, lambda number: 1 + number / 120):
        for seed in range(5):
            costs = relative_costs(slowdown, 1.3, seed)
            equal = [cost for number, cost in enumerate(costs) if number % 5 != 4 and number not in range(20, 25)]
            dear = [cost for number, cost in enumerate(costs) if number % 5 == 4 and number > 5]
            assert statistics.median(equal) < 1.05 and sum(cost > 1.15 for cost in equal) <= 2
            assert statistics.median(dear) > 1.2


def test_where_all_candidates_are_dear_they_are_called_so():
    prices = TrialPrices()
    for cpu in [7.0, 7.0, *[70.0] * 20]:
        prices.add(finished(cpu), 1, 0, as_screening=True)
    assert 70.0 / prices.at_present(7.0) > 6
    assert prices.at_present(0.0) == 70.0


def test_compute_with_gpus_is_the_time_that_they_are_held():
    """A trial that keeps its processor idle is not free, and one that starts a dozen threads is not dear."""
    event = replace(finished(0.5), wall_seconds=12.0)
    assert compute_of(event, 4, 0) == 0.5
    assert compute_of(event, 4, 1) == 3.0
    assert compute_of(event, 4, 2) == 6.0
    prices, cost = TrialPrices(), SweepCost()
    for _ in range(3):
        prices.add(event, 4, 2, as_screening=True)
        cost.add(event, compute_of(event, 4, 2), prices.at_present(6.0))
    assert cost.each == 6.0 and cost.cpu_seconds == 1.5
    assert cost.relative == 3.0
