"""A study: a question, an arena, researchers, a budget and the rules by which its claims will be judged.

Everything here except the budget is fixed when the campaign opens; it is the first event of the ledger.
Units: effects and scales in the arena's metric, `clip` and `dmin` in standard deviations of an A/A difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from novum.core.model.budget import _STRICT, LARGEST, Budget, Count, Level, LevelSettings
from novum.core.model.candidate import Genome, Setting
from novum.core.model.intervention import Alarm
from novum.core.model.trial import Limits
from novum.core.model.trial_plan import Aim

NAME = re.compile(r"[^\W_][\w. -]{0,79}")
"""What a study may be called: its name becomes the name of a directory."""


NAME_RULE = "a name has 1 to 80 letters, digits, spaces, dots, hyphens or underscores and begins with a letter or digit"


@dataclass(frozen=True)
class Guardrail:
    """A metric that a candidate may not worsen beyond a margin, whatever it gains elsewhere.

    metric: one of the spec's further metrics, cpu_seconds or peak_bytes. margin: the worsening that would be too much;
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

    queries: after so many the holdout closes; 0 never opens it. mechanism: how it answers (gate/holdout_mechanisms).
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
class PolicyRule:
    """One line of a policy.

    act: propose (try a candidate, run its code), network (ask a model that is not on this machine), spend (more than
    `over`, on a confirmation or on a request to a model), quarantine (confirm what is too good to be true), promote
    (make a finding the incumbent), holdout (ask the final data) or export (take results out of the lab).
    author: whose act, with * and ? as wild cards (people by their names, researchers by theirs).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    act: Literal["propose", "network", "spend", "quarantine", "promote", "holdout", "export"]
    allow: Literal["yes", "no", "approval"]
    author: str = "*"
    over: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class PolicySettings:
    """Who may do what: the first rule that fits decides, and what no rule names is denied. No rules: all is allowed.

    Spending is bounded by the budgets; a rule about it only says from where on somebody has to agree.

    approvers: how many people, none of them the author, have to agree. patience: seconds after which silence is a no.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    rules: tuple[PolicyRule, ...] = ()
    approvers: Annotated[int, Ge(1), Le(10)] = 1
    patience: Annotated[float, Gt(0)] = 3600.0


@dataclass(frozen=True)
class WatchdogSettings:
    """When the watchdog does something (docs/guide.md says what). off: alarms that are not looked for.

    grace_seconds: how long a trial group may take beyond its limits before it is given up; start_seconds: how much
    longer while no trial of the session has come in, since workers may still be starting. slow_factor, slow_seconds: a
    group of screening, which is no evidence, is given up earlier: after so many times what the dearest trials of late
    took, and never before so many seconds. stalls: groups given up in a row after which the session ends.
    plateau_window: screened hypotheses in a row without a gain of more than plateau_doubts standard errors;
    plateau_proposals: for how many proposals the control then proposes every second one.
    cost_factor, cost_floor: a hypothesis is withdrawn from screening when its trials take so many times the CPU time of
    the incumbent's, and more than so many seconds each.
    too_good: a screening gain of more than so many standard deviations of an A/A difference is suspect. implausible: a
    level of the metric at or beyond which every score is; None where no such level is known.
    failure_window, failure_level: an author rests when at least half of its latest hypotheses gave no score, which is
    so unlikely at the rate before. dead_end: or when so many of its proposals in a row came to nothing for one reason.
    rest, longest_rest: for how many proposals at first, doubled at each repetition, and at most.
    free_bytes, memory_bytes: nothing is started with less on the lab's disk, or in memory; memory_factor: nor with
    less memory than so many times the peak of a trial group, beside others. patience: seconds of that, with nothing in
    flight any more, after which the session ends.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    off: tuple[Alarm, ...] = ()
    grace_seconds: Annotated[float, Gt(0)] = 60.0
    start_seconds: Annotated[float, Ge(0)] = 600.0
    slow_factor: Annotated[float, Gt(1)] = 20.0
    slow_seconds: Annotated[float, Gt(0)] = 60.0
    stalls: Count = 3
    plateau_window: Count = 40
    plateau_proposals: Count = 20
    plateau_doubts: Annotated[float, Ge(0)] = 1.0
    cost_factor: Annotated[float, Gt(1)] = 20.0
    cost_floor: Annotated[float, Ge(0)] = 1.0
    too_good: Annotated[float, Gt(0)] = 50.0
    implausible: float | None = None
    failure_window: Annotated[int, Ge(8), Le(1000)] = 20
    failure_level: Level = 1e-3
    dead_end: Annotated[int, Ge(2), Le(1000)] = 12
    rest: Count = 10
    longest_rest: Count = 160
    free_bytes: Annotated[int, Ge(0), Le(LARGEST)] = 512 << 20
    memory_bytes: Annotated[int, Ge(0), Le(LARGEST)] = 256 << 20
    memory_factor: Annotated[float, Ge(1)] = 1.5
    patience: Annotated[float, Gt(0)] = 300.0


@dataclass(frozen=True)
class CommentSettings:
    """A model that remarks on hypotheses, in words by which nothing is measured or decided.

    model: who is asked, as for the researcher `language`; empty: nobody. on: "verdicts" when they are reached,
    "proposals" when they are registered. max_tokens: of one reply; price_ceiling: the most that the model may cost, in
    US dollars per million tokens; timeout: seconds for one request; replay: a lab directory whose recorded comments are
    used instead of a model.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    model: str = ""
    on: tuple[Literal["verdicts", "proposals"], ...] = ("verdicts",)
    max_tokens: Annotated[int, Ge(16), Le(200_000)] | None = None
    price_ceiling: Annotated[float, Gt(0)] | None = None
    timeout: Annotated[float, Gt(0), Le(3600)] = 120.0
    replay: str = ""


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
    budgets: LevelSettings = field(default_factory=LevelSettings)
    watchdog: WatchdogSettings = field(default_factory=WatchdogSettings)
    comments: CommentSettings = field(default_factory=CommentSettings)
    limits: Limits = field(default_factory=Limits)
    executor: str = "local"

    @property
    def uses_metrics(self) -> bool:
        """Whether anything is decided on a metric beside the arena's own."""
        return bool(self.gate.guardrails or self.follow_up.metrics)
