"""What the loop, the gate and the governor say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.plans import Verdict
from novum.core.study import Budget

Both = tuple[float | None, float | None]
"""Values of candidate and incumbent on one seed; None for a run that gave none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Scores of candidate and incumbent on one seed, in metric units; None for a run that gave none.

    others: the same for other metrics, by name; a metric is absent where the pair says nothing new about it.
    """

    candidate: float | None
    incumbent: float | None
    others: Mapping[str, Both] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watched:
    """A guardrail's evidence: largest E that the margin is kept, and that it is not; observations; mean gain.

    The gain is positive when the candidate is better, in metric or natural-log units, None without observations.
    """

    metric: str
    e_value: float
    against: float
    observations: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's answer after `pairs` pairs; `verdict` None means: go on.

    e_value for the claim, threshold it is held against, against: the largest mirrored e-value so far, crashes of the
    candidate, mean difference so far in metric units (None before the first pair).
    """

    verdict: Verdict | None
    reason: str
    pairs: int
    e_value: float
    threshold: float
    against: float
    crashes: int
    mean: float | None
    guards: tuple[Watched, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Effect and confidence sequence at `level` from `pairs` fresh pairs, metric units; None where too few."""

    effect: float | None
    interval: tuple[float, float] | None
    level: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Account:
    """Evidence ledger: cash C, acceptances R, confirmations opened so far (j). A campaign starts with Account()."""

    cash: float = 1.0
    discoveries: int = 0
    opened: int = 0


@dataclass(frozen=True, slots=True)
class Stake:
    """What one confirmation puts at risk, and the account after it was put aside."""

    amount: float
    account: Account


@dataclass(frozen=True, slots=True)
class Spent:
    """Used so far, or wanted. Seconds are of CPU, of the campaign's wall, and of wall times GPUs held.

    tokens and money (US dollars): of models; disk_bytes: of artefacts. What is set aside for work that has not ended
    counts as used.
    """

    trials: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    tokens: int = 0
    money: float = 0.0
    gpu_seconds: float = 0.0
    disk_bytes: int = 0
    holdout_queries: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.trials + other.trials,
            self.cpu_seconds + other.cpu_seconds,
            self.wall_seconds + other.wall_seconds,
            self.tokens + other.tokens,
            self.money + other.money,
            self.gpu_seconds + other.gpu_seconds,
            self.disk_bytes + other.disk_bytes,
            self.holdout_queries + other.holdout_queries,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A budget of somebody within the lab: whose it is in words, its bounds, and what is used of it."""

    name: str
    budget: Budget
    spent: Spent
