"""Events of the gate: rules before their data, verdicts after them, and what findings are asked further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from novum.core.events.event import Event, Known, event
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.trial_plan import ASKED, Aim
from novum.core.model.verdict import Estimand, GuardrailEvidence, Verdict
from novum.text.format import counted, effect_text, number, signed


@dataclass(frozen=True, slots=True)
class Guard:
    """A guardrail in a registered rule: the gain on `metric` must exceed -margin; scale is its clip.

    margin and scale in metric units, or natural-log units when `log`.
    """

    metric: str
    higher_is_better: bool
    log: bool
    margin: float
    scale: float


@event("confirmation_opened", actor="gate")
@dataclass(frozen=True, slots=True)
class ConfirmationOpened(Event):
    """The pre-registration: everything the verdict depends on, before the first confirming seed is drawn."""

    hypothesis: str
    attempt: int
    code: str
    """SHA-256 of the arena's code, which with the two genomes is what is compared."""
    candidate: Candidate
    incumbent: Candidate
    candidate_setting: Setting
    incumbent_setting: Setting
    process: str
    metric: str
    higher_is_better: bool
    log: bool
    delta: float
    scale: float
    """C, the clip, and dmin in metric units."""
    sigma: float
    dmin: float
    alpha: float
    beta: float
    max_pairs: int
    refute_pairs: int
    position: int
    stake: float
    cash: float
    """This and `position` and `stake`: the evidence ledger after this stake."""
    threshold: float
    guards: tuple[Guard, ...]
    key_commitment: str
    """SHA-256 of the key that the seeds derive from."""
    claim: Estimand = Estimand.TYPICAL
    loss: float = 1.0
    """L: losses count in full up to so many times the clip, gains up to once."""
    floor: float = 0.0
    """In sigma: a single loss beyond it keeps the claim from being supported; 0 does not look. This and what follows
    have the values of records that were written before there was a choice."""
    optimism: float = 1.1
    """Standard errors by which the future may be kinder than the past before a test counts as futile."""
    interval: Literal["sequence", "selective"] = "sequence"
    """How the finding's interval is made (novum.gate.estimate, novum.gate.selective_interval)."""
    arm: str = ""
    """Whose fresh seeds and incumbent's runs these are, as hypothesis:attempt; empty for its own."""

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return (
            f"{self.hypothesis}, attempt {self.attempt}: E must reach {number(self.threshold)} within "
            f"{counted(self.max_pairs, 'pair')} (stake {number(self.stake)})"
        )


@event("verdict_reached", actor="gate")
@dataclass(frozen=True, slots=True)
class VerdictReached(Event):
    """What the gate said, on `pairs` pairs of fresh seeds."""

    hypothesis: str
    attempt: int
    verdict: Verdict
    reason: str
    pairs: int
    e_value: float
    threshold: float
    against: float
    """The largest value of the mirrored e-process."""
    crashes: int
    mean: float | None
    """Of the differences up to the stop (it overstates, report the finding's estimate instead)."""
    guards: tuple[GuardrailEvidence, ...]
    """What the guardrails showed."""
    refund: float
    cash: float
    discoveries: int
    """This and `refund` and `cash`: the evidence ledger after closing."""
    key: str | None
    """Revealed unless a finding still draws estimation seeds from it."""

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return (
            f"{self.hypothesis} {self.verdict} after {counted(self.pairs, 'pair')}: "
            f"E = {number(self.e_value)} of {number(self.threshold)} ({self.reason})"
        )


@event("finding_recorded")
@dataclass(frozen=True, slots=True)
class FindingRecorded(Event):
    """The size of a supported claim, from `pairs` fresh pairs after the stop, and the seed key revealed.

    effect and interval (at `level`) in metric units, positive is better; None without pairs.
    """

    hypothesis: str
    attempt: int
    effect: float | None
    interval: tuple[float, float] | None
    level: float
    pairs: int
    key: str

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        size = effect_text(self.effect, self.interval, self.level)
        return f"{self.hypothesis}: {size} ({counted(self.pairs, 'fresh pair')})"


@event("reopening_requested")
@dataclass(frozen=True, slots=True)
class ReopeningRequested(Event):
    """Somebody asks for another confirmation of an inconclusive claim: a new stake, fresh seeds, an E of its own."""

    hypothesis: str

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis} is to be confirmed again"


@event("ablation_planned")
@dataclass(frozen=True, slots=True)
class AblationPlanned(Event):
    """A finding will be compared with itself without one of its parts (`part` names the gene)."""

    hypothesis: str
    part: str
    rival: Candidate

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis, self.rival.id}

    def introduce(self, known: Known) -> None:
        known.candidates[self.rival.id] = self.rival

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis} without {self.part}: candidate {self.rival.id}"


@event("follow_up_opened", actor="gate")
@dataclass(frozen=True, slots=True)
class FollowUpOpened(Event):
    """A finding is asked something further; `about` names the transfer, the part or the metric.

    rule.attempt numbers the follow-ups of the finding.
    """

    hypothesis: str
    aim: Aim
    about: str
    options: Setting
    """What a transfer changes in the study's. A replication claims nothing new: it has a whole stake of its own, and
    rule.dmin is half of the claimed effect, so that `refuted` means: less than half of what was claimed. All others
    are claims and are paid from the evidence ledger."""
    rule: ConfirmationOpened

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis}, question {self.rule.attempt}: {ASKED[self.aim]} {self.about}"


@event("follow_up_closed", actor="gate")
@dataclass(frozen=True, slots=True)
class FollowUpClosed(Event):
    """The verdict on a follow-up. A supported replication makes a finding replicated, a refuted one retracts it.

    effect and interval (a confidence sequence at `level`): from all pairs, which are fresh, in the metric's units.
    """

    hypothesis: str
    attempt: int
    verdict: Verdict
    reason: str
    pairs: int
    e_value: float
    threshold: float
    against: float
    crashes: int
    effect: float | None
    interval: tuple[float, float] | None
    level: float
    refund: float
    cash: float
    discoveries: int
    """This and `refund` and `cash`: the evidence ledger afterwards."""
    key: str

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return (
            f"{self.hypothesis}, question {self.attempt}: {self.verdict} after {counted(self.pairs, 'pair')}, "
            f"E = {number(self.e_value)} of {number(self.threshold)}, "
            f"{effect_text(self.effect, self.interval, self.level)} ({self.reason})"
        )


@event("holdout_opened")
@dataclass(frozen=True, slots=True)
class HoldoutOpened(Event):
    """The final data may be asked `queries` times."""

    queries: int
    mechanism: str
    alpha: float
    key_commitment: str
    """SHA-256 of the key behind their order and noise."""

    def sentence(self, known: Known) -> str:
        return f"{counted(self.queries, 'query', 'queries')}, {self.mechanism}"


@event("holdout_asked")
@dataclass(frozen=True, slots=True)
class HoldoutAsked(Event):
    """Query `number`: does a finding hold on the final data? It is paid for here, before the answer exists."""

    hypothesis: str
    number: int

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return f"query {self.number}: does {self.hypothesis} hold on the final data?"


@event("holdout_answered", actor="gate")
@dataclass(frozen=True, slots=True)
class HoldoutAnswered(Event):
    """The answer to a query: yes or no, and a gain where the mechanism tells one."""

    hypothesis: str
    number: int
    held: bool
    reported: float | None
    left: int
    warning: str
    """Of a naive mechanism."""

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        told = "" if self.reported is None else f" (told: {signed(self.reported)})"
        warning = f"; warning: {self.warning}" if self.warning else ""
        return f"query {self.number}: {self.hypothesis} {'holds' if self.held else 'is not shown'}{told}{warning}"


@dataclass(frozen=True, slots=True)
class HoldoutDisclosure:
    """What stood behind an answer, revealed when the holdout has closed."""

    hypothesis: str
    held: bool
    e_value: float | None
    threshold: float | None
    reported: float | None


@event("holdout_closed", actor="gate")
@dataclass(frozen=True, slots=True)
class HoldoutClosed(Event):
    """No query is left: the evidence behind each answer and the key are public, and nothing is answered any more."""

    answers: tuple[HoldoutDisclosure, ...]
    key: str

    def sentence(self, known: Known) -> str:
        return f"no query is left after {counted(len(self.answers), 'answer')}"
