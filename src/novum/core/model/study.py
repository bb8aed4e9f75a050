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
from novum.core.model.metric import COMPUTE, is_free
from novum.core.model.trial import Limits
from novum.core.model.trial_plan import Aim

NAME = re.compile(r"[^\W_][\w. -]{0,79}")
"""What a study may be called: its name becomes the name of a directory."""


NAME_RULE = "a name has 1 to 80 letters, digits, spaces, dots, hyphens or underscores and begins with a letter or digit"


@dataclass(frozen=True)
class Guardrail:
    """A metric that a candidate may not worsen beyond a margin, whatever it gains elsewhere."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    metric: str
    """One of the spec's further metrics, cpu_seconds or peak_bytes (tested), or compute (measured)."""
    margin: Annotated[float, Ge(0)]
    """The worsening that would be too much; a factor for metrics that are compared by ratio (1.1: ten percent worse),
    else in metric units."""


RUNS_FOR_SCALE_FREE = 3
"""Runs of the incumbent that a test without a scale begins with."""
FEW_PAIRS = 12
"""Pairs of a confirmation up to which giving up early saves little."""


@dataclass(frozen=True)
class GateSettings:
    """The acceptance rule of a campaign (source: docs/trust.md)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    claim: Literal["", "mean", "typical"] = ""
    """What a claim is about: the mean gain with losses in full, or the typical gain, single ones counted to `clip`;
    empty: the mean where losses are bounded closely enough to pay for it, else the typical gain."""
    loss_bound: Annotated[float, Gt(0)] | None = None
    """For claims of the mean where the metric has no declared range: losses count in full up to this much, in metric
    units (natural-log units for metrics that are compared by ratio)."""
    process: Literal["betting", "symmetric", "scale-free"] = "betting"
    """The e-process of a typical gain; "scale-free" starts after 3 runs of the incumbent, "symmetric" after the same
    block as "betting", and both need symmetric noise (never where crashes are skewed)."""
    alpha: Level = 0.10
    """Bound on the expected share of false findings, over the whole campaign, at any time."""
    planned: Annotated[int, Ge(0), Le(1_000_000)] = 0
    """How many confirmations are expected (H); 0: as many as the budget can pay, foretold before the first."""
    stake_floor: Count = 10
    """Smallest divisor of the cash left (hmin)."""
    refunds: bool = True
    """Return evidence of closed tests to the cash; off gives plain e-LOND with stakes 1/planned."""
    delta: Annotated[float, Ge(0)] = 0.0
    """The smallest gain worth having; a claim says "better by more than delta"."""
    clip: Annotated[float, Ge(1e-6)] = 2.0
    """Single differences beyond this many sd count as this many."""
    scale: Literal["both", "incumbent"] = "both"
    """Whose runs say what one sd is: the incumbent's and the candidate's own in screening, or the incumbent's alone."""
    floor: Annotated[float, Ge(0)] = 4.0
    """A single loss of more than so many sd keeps a typical gain from being supported; 0 does not look."""
    max_pairs: Annotated[int, Ge(2), Le(10_000)] = 30
    """Seeds after which a confirmation ends without a verdict; claims of the mean get more, by their bound on losses
    (docs/trust.md)."""
    optimism: Annotated[float, Ge(0)] = 0.0
    """Standard errors by which the future may be kinder than the past before a test counts as futile; 0: 1.1, and 3
    where max_pairs is at most 12, since there is little to save then."""
    arms: Count = 4
    """How many waiting candidates may be confirmed against one set of runs of the incumbent."""
    refute_pairs: Annotated[int, Ge(0), Le(10_000)] = 10
    """How far a test that cannot be supported any more may go on in order to be refuted (0: not at all)."""
    dmin: Annotated[float, Ge(1e-6)] = 1.0
    beta: Level = 0.10
    """This and `dmin`: refuted means "better by delta + dmin sd" is rejected with error at most beta."""
    calibration_pairs: Annotated[int, Ge(2), Le(10_000)] = 10
    """A/A pairs behind the scale."""
    estimate_pairs: Annotated[int, Ge(2), Le(10_000)] = 8
    """Fresh pairs behind a finding's effect."""
    interval_level: Level = 0.90
    interval: Literal["selective", "sequence"] = "selective"
    """How an interval is made: to agree with the verdict and allow for selection, or from fresh pairs alone."""
    reopenings: Annotated[int, Ge(0), Le(100)] = 1
    """How often a claim that stopped between the evidence of a single test (1/alpha) and the campaign's threshold gets
    another stake, with an E of its own."""
    guardrails: tuple[Guardrail, ...] = ()
    """What else must be shown, at error `beta` each, before a claim is supported."""

    @property
    def calibration_runs(self) -> int:
        """A/A runs of the incumbent before the first confirmation against it."""
        return RUNS_FOR_SCALE_FREE if self.process == "scale-free" else 2 * self.calibration_pairs

    @property
    def compute_limit(self) -> float | None:
        """How many times the incumbent's compute a candidate may take; None where it is not held to any."""
        held = (one.margin for one in self.guardrails if one.metric == COMPUTE and not is_free(one.margin))
        return min(held, default=None)

    @property
    def hope(self) -> float:
        """The optimism that futility goes by."""
        return self.optimism or (3.0 if self.max_pairs <= FEW_PAIRS else 1.1)


@dataclass(frozen=True)
class FollowUpSettings:
    """What findings are asked afterwards, by a scheduled share of the trials."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    share: Annotated[float, Ge(0), Lt(1)] = 0.10
    aims: tuple[Aim, ...] = (Aim.REPLICATE, Aim.TRANSFER, Aim.ABLATE, Aim.METRIC)
    """In this order. Replicate: again, on fresh seeds. Transfer: on the tasks and scales that the arena declares.
    Ablate: against itself without each of its parts. Metric: on further metrics, each a claim of its own."""
    metrics: tuple[str, ...] = ()
    """Further metrics of the arena that are asked about."""
    distil: bool = True
    """Once an incumbent's parts have been asked about, claim anew the candidate without those that were not shown to
    matter: it has to keep half of the gain, and then takes the place."""


@dataclass(frozen=True)
class HoldoutSettings:
    """How the final data of an arena with fixed data are asked: each finding once, while queries last."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    queries: Annotated[int, Ge(0), Le(10_000)] = 5
    """After so many the holdout closes; 0 never opens it."""
    mechanism: Literal["coarse", "ladder", "thresholdout", "naive"] = "coarse"
    """How it answers (gate/holdout_mechanisms)."""


@dataclass(frozen=True)
class ScreeningSettings:
    """How cheaply candidates are looked at before one is worth a confirmation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    seeds: Annotated[int, Ge(1), Le(1000)] = 3
    """Search seeds for each tuning setting."""
    first_seeds: Annotated[int, Ge(1), Le(1000)] = 1
    advance_one_in: Count = 2
    """This and `first_seeds`: successive halving. Every candidate is swept over all settings on `first_seeds` seeds; it
    goes on to all `seeds` if it is among the best one in `advance_one_in` so far (the incumbent always does).
    first_seeds >= seeds turns halving off."""
    fidelity: Annotated[float, Gt(0), Le(1)] = 1.0
    """Length of a screening trial relative to a full one."""
    keep_one_in: Count = 4
    """Of this many screened candidates the best waiting one is promoted, if it came within one standard error of the
    incumbent or beat it."""
    patience: Annotated[int, Ge(0)] = 0
    """0, or so many candidates in a row must screen no better than the best waiting one before it is promoted, in the
    place of `keep_one_in`: a small budget is spent on the search first, and confirms the best of it. What is left is
    kept for that confirmation."""
    reduction_factor: Annotated[int, Ge(0), Le(100)] = 0
    """0, or runs whose progress is hopeless are ended early (asynchronous successive halving): at a quarter and at half
    of the usual compute the best one in so many goes on, as long as early readings rank candidates as final scores
    do."""
    waiting: Count = 4
    """How many hypotheses may be screened at the same time."""


@dataclass(frozen=True)
class ResearcherSettings:
    """Who proposes: the researcher's name and its own options."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str = "evolve"
    options: Setting = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyRule:
    """One line of a policy."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    act: Literal["propose", "network", "spend", "quarantine", "promote", "holdout", "export"]
    """Propose (try a candidate, run its code), network (ask a model that is not on this machine), spend (more than
    `over`, on a confirmation or on a request to a model), quarantine (confirm what is too good to be true), promote
    (make a finding the incumbent), holdout (ask the final data) or export (take results out of the lab)."""
    allow: Literal["yes", "no", "approval"]
    author: str = "*"
    """Whose act, with * and ? as wild cards (people by their names, researchers by theirs)."""
    over: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class PolicySettings:
    """Who may do what: the first rule that fits decides, and what no rule names is denied. No rules: all is allowed.

    Spending is bounded by the budgets; a rule about it only says from where on somebody has to agree.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    rules: tuple[PolicyRule, ...] = ()
    approvers: Annotated[int, Ge(1), Le(10)] = 1
    """How many people, none of them the author, have to agree."""
    patience: Annotated[float, Gt(0)] = 3600.0
    """Seconds after which silence is a no."""


@dataclass(frozen=True)
class WatchdogSettings:
    """When the watchdog does something (docs/guide.md says what)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    off: tuple[Alarm, ...] = ()
    """Alarms that are not looked for."""
    grace_seconds: Annotated[float, Gt(0)] = 60.0
    """How long a trial group may take beyond its limits before it is given up."""
    start_seconds: Annotated[float, Ge(0)] = 600.0
    """How much longer while no trial of the session has come in, since workers may still be starting."""
    slow_factor: Annotated[float, Gt(1)] = 20.0
    slow_seconds: Annotated[float, Gt(0)] = 60.0
    """This and `slow_factor`: a group of screening, which is no evidence, is given up earlier: after so many times
    what the dearest trials of late took, and never before so many seconds."""
    stalls: Count = 3
    """Groups given up in a row after which the session ends."""
    plateau_window: Count = 40
    """Screened hypotheses in a row without a gain of more than plateau_doubts standard errors."""
    plateau_proposals: Count = 20
    """For how many proposals the control then proposes every second one."""
    plateau_doubts: Annotated[float, Ge(0)] = 1.0
    cost_factor: Annotated[float, Gt(1)] = 20.0
    cost_floor: Annotated[float, Ge(0)] = 1.0
    """This and `cost_factor`: a hypothesis is withdrawn from screening when its trials take so many times the compute
    (CPU or GPU time) of the incumbent's, and more than so many seconds each."""
    too_good: Annotated[float, Gt(0)] = 50.0
    """A screening gain of more than so many standard deviations of an A/A difference is suspect."""
    implausible: float | None = None
    """A level of the metric at or beyond which every score is; None where no such level is known."""
    failure_window: Annotated[int, Ge(8), Le(1000)] = 20
    failure_level: Level = 1e-3
    """This and `failure_window`: an author rests when at least half of its latest hypotheses gave no score, which is so
    unlikely at the rate before."""
    dead_end: Annotated[int, Ge(2), Le(1000)] = 12
    """Or when so many of its proposals in a row came to nothing for one reason."""
    rest: Count = 10
    longest_rest: Count = 160
    """This and `rest`: for how many proposals at first, doubled at each repetition, and at most."""
    free_bytes: Annotated[int, Ge(0), Le(LARGEST)] = 512 << 20
    memory_bytes: Annotated[int, Ge(0), Le(LARGEST)] = 256 << 20
    """This and `free_bytes`: nothing is started with less on the lab's disk, or in memory."""
    memory_factor: Annotated[float, Ge(1)] = 1.5
    """Nor with less memory than so many times the peak of a trial group, beside others."""
    patience: Annotated[float, Gt(0)] = 300.0
    """Seconds of that, with nothing in flight any more, after which the session ends."""


@dataclass(frozen=True)
class CommentSettings:
    """A model that remarks on hypotheses, in words by which nothing is measured or decided."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    model: str = ""
    """Who is asked, as for the researcher `language`; empty: nobody."""
    on: tuple[Literal["verdicts", "proposals"], ...] = ("verdicts",)
    """"verdicts" when they are reached, "proposals" when they are registered."""
    max_tokens: Annotated[int, Ge(16), Le(200_000)] | None = None
    """Of one reply."""
    price_ceiling: Annotated[float, Gt(0)] | None = None
    """The most that the model may cost, in US dollars per million tokens."""
    timeout: Annotated[float, Gt(0), Le(3600)] = 120.0
    """Seconds for one request."""
    replay: str = ""
    """A lab directory whose recorded comments are used instead of a model."""


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
