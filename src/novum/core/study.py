"""A study: a question, an arena, researchers, a budget and the rules by which its claims will be judged.

Everything here except the budget is fixed when the campaign opens; it is the first event of the ledger.
Units: effects and scales in the arena's metric, `clip` and `dmin` in standard deviations of an A/A difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from novum.core.nouns import Genome, Limits, Setting
from novum.core.plans import Aim

_STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}

LARGEST = 2**53 - 1
"""The largest whole number that JSON keeps exactly."""

Level = Annotated[float, Ge(1e-9), Lt(1)]
Count = Annotated[int, Ge(1), Le(1_000_000)]

NAME = re.compile(r"[^\W_][\w. -]{0,79}")
"""What a study may be called: its name becomes the name of a directory."""

NAME_RULE = "a name has 1 to 80 letters, digits, spaces, dots, hyphens or underscores and begins with a letter or digit"


@dataclass(frozen=True)
class Guardrail:
    """A metric that a candidate may not worsen beyond a margin, whatever it gains elsewhere.

    metric: one of the card's further metrics, cpu_seconds or peak_bytes. margin: the worsening that would be too much;
    a factor for metrics that are compared by ratio (1.1: ten percent worse), else in metric units.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    metric: str
    margin: Annotated[float, Ge(0)]


@dataclass(frozen=True)
class GateSettings:
    """The acceptance rule of a campaign (source: docs/trust.md).

    process: the e-process; "symmetric" needs no scale, but symmetric noise (never where crashes are skewed).
    alpha: bound on the expected share of false findings, over the whole campaign, at any time.
    planned: how many confirmations are expected (H); stake_floor: smallest divisor of the cash left (hmin).
    refunds: return evidence of closed tests to the cash; off gives plain e-LOND with stakes 1/planned.
    delta: the smallest gain worth having; a claim says "better by more than delta".
    clip: single differences beyond this many sd count as this many.
    max_pairs: seeds after which a confirmation ends without a verdict.
    refute_pairs: how far a test that cannot be supported any more may go on in order to be refuted (0: not at all).
    dmin, beta: refuted means "better by delta + dmin sd" is rejected with error at most beta.
    calibration_pairs: A/A pairs behind the scale. estimate_pairs: fresh pairs behind a finding's effect.
    reopenings: how often a claim that stopped between the evidence of a single test (1/alpha) and the campaign's
    threshold gets another stake, with an E of its own.
    guardrails: what else must be shown, at error `beta` each, before a claim is supported.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    process: Literal["betting", "symmetric"] = "betting"
    alpha: Level = 0.10
    planned: Count = 20
    stake_floor: Count = 10
    refunds: bool = True
    delta: Annotated[float, Ge(0)] = 0.0
    clip: Annotated[float, Ge(1e-6)] = 2.0
    max_pairs: Annotated[int, Ge(2), Le(10_000)] = 30
    refute_pairs: Annotated[int, Ge(0), Le(10_000)] = 10
    dmin: Annotated[float, Ge(1e-6)] = 1.0
    beta: Level = 0.10
    calibration_pairs: Annotated[int, Ge(2), Le(10_000)] = 10
    estimate_pairs: Annotated[int, Ge(2), Le(10_000)] = 8
    interval_level: Level = 0.90
    reopenings: Annotated[int, Ge(0), Le(100)] = 1
    guardrails: tuple[Guardrail, ...] = ()


@dataclass(frozen=True)
class FollowUpSettings:
    """What findings are asked afterwards, in the order of `aims`, by a scheduled share of the trials.

    replicate: again, on fresh seeds. transfer: on the tasks and scales that the arena declares. ablate: against itself
    without each of its parts. metrics: on further metrics of the arena, each a claim of its own.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    share: Annotated[float, Ge(0), Lt(1)] = 0.10
    aims: tuple[Aim, ...] = (Aim.REPLICATE, Aim.TRANSFER, Aim.ABLATE, Aim.METRIC)
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class HoldoutSettings:
    """How the final data of an arena with fixed data are asked: each finding once, while queries last.

    queries: after so many the holdout closes; 0 never opens it. mechanism: how it answers (novum.gate.holdout).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    queries: Annotated[int, Ge(0), Le(10_000)] = 5
    mechanism: Literal["coarse", "ladder", "thresholdout", "naive"] = "coarse"


@dataclass(frozen=True)
class ScreeningSettings:
    """How cheaply candidates are looked at before one is worth a confirmation.

    seeds: search seeds for each tuning setting; fidelity: length of a screening trial relative to a full one.
    first_seeds, advance_one_in: successive halving. Every candidate is swept over all settings on `first_seeds` seeds;
    it goes on to all `seeds` if it is among the best one in `advance_one_in` so far (the incumbent always does).
    first_seeds >= seeds turns halving off.
    keep_one_in: of this many screened candidates the best waiting one is promoted, if it came within one standard
    error of the incumbent or beat it.
    waiting: how many hypotheses may be screened at the same time.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    seeds: Annotated[int, Ge(1), Le(1000)] = 3
    first_seeds: Annotated[int, Ge(1), Le(1000)] = 1
    advance_one_in: Count = 2
    fidelity: Annotated[float, Gt(0), Le(1)] = 1.0
    keep_one_in: Count = 4
    waiting: Count = 4


@dataclass(frozen=True)
class ResearcherSettings:
    """Who proposes: the researcher's name and its own options."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str = "evolve"
    options: Setting = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """What a campaign may use in total; None means unlimited. A bound on trials or time must be given to run.

    tokens and money (US dollars): of requests to models.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    wall_seconds: Annotated[float, Gt(0)] | None = None
    cpu_seconds: Annotated[float, Gt(0)] | None = None
    trials: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    tokens: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    money: Annotated[float, Gt(0)] | None = None

    @property
    def bounded(self) -> bool:
        """Whether any bound is set."""
        return any(bound is not None for bound in (self.wall_seconds, self.cpu_seconds, self.trials))


@dataclass(frozen=True)
class PolicyRule:
    """One line of a policy. act: propose (try a candidate, run its code) or holdout (ask the final data).

    author: whose act, with * and ? as wild cards (people by their names, researchers by theirs).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    act: Literal["propose", "holdout"]
    allow: Literal["yes", "no", "approval"]
    author: str = "*"


@dataclass(frozen=True)
class PolicySettings:
    """Who may do what: the first rule that fits decides, and what no rule names is denied. No rules: all is allowed.

    approvers: how many people, none of them the author, have to agree. patience: seconds after which silence is a no.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    rules: tuple[PolicyRule, ...] = ()
    approvers: Annotated[int, Ge(1), Le(10)] = 1
    patience: Annotated[float, Gt(0)] = 3600.0


@dataclass(frozen=True)
class Study:
    """The rules of one campaign. `baseline` replaces the arena's own starting incumbent."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    arena: str
    question: str = ""
    seed: Annotated[int, Ge(0), Le(LARGEST)] = 0
    options: Setting = field(default_factory=dict)
    baseline: Genome = field(default_factory=dict)
    researcher: ResearcherSettings = field(default_factory=ResearcherSettings)
    screening: ScreeningSettings = field(default_factory=ScreeningSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    follow_up: FollowUpSettings = field(default_factory=FollowUpSettings)
    holdout: HoldoutSettings = field(default_factory=HoldoutSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    limits: Limits = field(default_factory=Limits)
    executor: Literal["local", "inline"] = "local"

    @property
    def uses_metrics(self) -> bool:
        """Whether anything is decided on a metric beside the arena's own."""
        return bool(self.gate.guardrails or self.follow_up.metrics)
