"""Verdicts and the evidence behind them: pairs, judgements, estimates, and the account that pays for acceptances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What the gate says of a hypothesis."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Estimand(StrEnum):
    """What a claim is about: the mean gain with losses in full, or the typical gain, single ones counted to 2 sd."""

    MEAN = "mean"
    TYPICAL = "typical"


Both = tuple[float | None, float | None]
"""Values of candidate and incumbent on one seed; None for a run that gave none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Scores of candidate and incumbent on one seed, in metric units; None for a run that gave none."""

    candidate: float | None
    incumbent: float | None
    others: Mapping[str, Both] = field(default_factory=dict)
    """The same for other metrics, by name; a metric is absent where the pair says nothing new about it."""


@dataclass(frozen=True, slots=True)
class GuardrailEvidence:
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
    guards: tuple[GuardrailEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Effect and interval at `level` from `pairs` fresh pairs, metric units; None where too few."""

    effect: float | None
    interval: tuple[float, float] | None
    level: float
    pairs: int


@dataclass(frozen=True, slots=True)
class TailEvidence:
    """What later runs of a finding say: their mean gain over what it replaced, in metric units, losses in full.

    wanted: half of what was claimed; worst: the smallest gain of one run; losses: runs that lost more than 4 sd;
    e_value: against a mean gain of `wanted` or more; refuted: whether that retracts the finding.
    """

    runs: int
    mean: float
    wanted: float
    worst: float
    losses: int
    e_value: float
    refuted: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Evidence ledger: cash C, acceptances R, confirmations opened so far (j). A campaign starts with Account()."""

    cash: float = 1.0
    discoveries: int = 0
    opened: int = 0
    horizon: int = 0
    """Number of the last confirmation that the cash is planned for; 0: as the study says."""
    least: int = 0
    """Smallest divisor of the cash (hmin) of the plan; 0: as the study says."""
    kept: float = 0.0
    """Evidence kept back for a later plan."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What one confirmation puts at risk, and the account after it was put aside."""

    amount: float
    account: Account
