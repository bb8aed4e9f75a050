"""Synthetic IsoFLOP data for the tests of scaling laws."""

from __future__ import annotations

import numpy as np

from novum.scaling.design import Design, DesignOptions, plan
from novum.scaling.law import ScalingLaw
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import TrainingRun

BESIROGLU = ScalingLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
"""Besiroglu et al., arXiv 2404.10102."""
SMALL = ScalingLaw(E=1.2, A=33.0, B=127.0, alpha=0.35, beta=0.37)
"""At 1e11 to 1e13 FLOP its losses are 2 to 3.5."""
BUDGET = 1.75e14


def design(law: ScalingLaw = SMALL, budget: float = BUDGET, **options: float) -> Design:
    """An IsoFLOP design centred on the optimum of a law."""
    return plan(budget, DesignOptions(**options), law)


def noisy(law: ScalingLaw, seed: int, spread: float = 0.005, planned: Design | None = None) -> list[TrainingRun]:
    """Its runs on a design (5 budgets x 6 sizes x 2 seeds), sd as a share of the loss."""
    return simulate(law, (planned or design(law)).cells, spread, np.random.default_rng(seed))
