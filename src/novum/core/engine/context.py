"""The house: the rooms behind their ports, and how a plan becomes a trial group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from novum.core.engine.oversight_ports import Critic
from novum.core.events.event import Event
from novum.core.events.event_ports import Gate, TailGate
from novum.core.events.trials import GroupDispatched
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model import seeds
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Setting
from novum.core.model.ports import Arena, Evidence, Governor, Researcher
from novum.core.model.study import Study
from novum.core.model.trial import Role, Trial, TrialGroup
from novum.core.model.trial_plan import Plan, Purpose, Side, together
from novum.core.model.verdict import Judgement, Pair
from novum.core.state.arm import arm_id
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Runs

LOOK_SECONDS = 0.25
"""CPU seconds that a group may use between two looks at it."""


@dataclass(frozen=True)
class LabContext:
    """Everything a decision may consult. `slots`: trial groups worth having in flight at once.

    `elsewhere` builds the study's arena with other options, for transfers. Raises StudyError. `control` proposes while
    the study's own researcher rests, and for a part of the ideas on a plateau.
    """

    study: Study
    arena: Arena
    researcher: Researcher
    gate: Gate
    evidence: Evidence
    governor: Governor
    keyring: seeds.Keyring
    slots: int
    arena_with_options: Callable[[Setting], Arena]
    critic: Critic
    control: Researcher | None = None
    tails: TailGate | None = None
    """What watches the later runs of findings; None: nobody does."""

    def key(self, plan: Plan) -> bytes:
        """The key that the seeds of a plan derive from."""
        if plan.purpose is Purpose.SCREEN:
            return seeds.search_key(self.study.seed)
        if plan.purpose is Purpose.CALIBRATE:
            return self.calibration_key(plan.subject)
        if plan.purpose is Purpose.FOLLOW_UP:
            return self.follow_up_key(plan.subject, plan.attempt)
        return self.confirmation_key(plan.arm or arm_id(plan.subject, plan.attempt))

    def follow_up_key(self, hypothesis: str, number: int) -> bytes:
        """The key of the seeds of a finding's follow-up."""
        return self.keyring.key(f"follow_up:{hypothesis}:{number}")

    def confirmation_key(self, arm: str) -> bytes:
        """The key of the fresh seeds of an arm; estimation continues where confirmation stopped."""
        return self.keyring.key(f"confirm:{arm}")

    def holdout_key(self) -> bytes:
        """The key of the holdout's order and noise."""
        return self.keyring.key("holdout")

    def calibration_key(self, candidate: str) -> bytes:
        """The key of the seeds of a candidate's A/A runs."""
        return self.keyring.key(f"calibrate:{candidate}")

    def group(self, plan: Plan) -> TrialGroup:
        """The trial group of a plan: the same plan always gets the same seeds."""
        return group_of(plan, self.key(plan), self.study)

    def sent(self, sent: GroupDispatched) -> TrialGroup:
        """The group as it is sent to a worker, held to what was set aside for it."""
        group = self.group(sent.plan)
        if not sent.capped:
            return group
        # Workers look at the clock a few times a second, so they are told somewhat less than what is set aside.
        bound = max(sent.cpu_seconds - LOOK_SECONDS, sent.cpu_seconds / 2)
        return replace(group, limits=replace(group.limits, cpu_seconds=bound))

    def arena_of(self, plan: Plan) -> Arena:
        """The arena that scores a plan: the study's own, or the same under a transfer's options."""
        return self.arena_with_options({**self.study.options, **plan.options}) if plan.options else self.arena


class Tested(Protocol):
    """A confirmation or a follow-up: runs of both sides, and how many pairs were judged before the last dispatch."""

    runs: Runs
    judged: int

    def pairs(self) -> list[Pair]:
        """Complete pairs in the order of their seeds, up to the first gap."""
        ...


@dataclass
class Unswept:
    """Candidates whose sweeps may lack something, so that a decision need not look at all of them. since: a revision.

    lacking: None stands for all. concluded: the revision up to which complete sweeps have been closed.
    """

    since: int = -1
    lacking: set[str] | None = None
    concluded: int = -1
    compared: int = -1
    """The same for those that may behave as their incumbent does."""
    refused: bool = False
    """Whether the last plan could not be paid for."""

    def update(self, state: CampaignState) -> None:
        """Take in what has changed."""
        changed = state.sweeps_changed_since(self.since)
        self.since = state.revision
        if "" in changed:
            self.lacking = None
        elif self.lacking is not None:
            self.lacking |= changed

    def may_lack(self, candidate: str) -> bool:
        """Whether the sweep of a candidate has to be looked at."""
        return self.lacking is None or candidate in self.lacking

    def lacks_nothing(self, candidate: str) -> None:
        """A candidate's sweep was looked at, and there is nothing to send."""
        if self.lacking is not None:
            self.lacking.discard(candidate)


@dataclass(frozen=True)
class Campaign:
    """An opened campaign: its state, and the rooms that decisions about it consult."""

    state: CampaignState
    context: LabContext
    quiet: dict[str, int] = field(default_factory=dict, compare=False)
    """The revision of the state at which a stage found nothing to do."""
    unswept: Unswept = field(default_factory=Unswept, compare=False)
    """Which sweeps have to be looked at."""
    undecided: dict[str, tuple[int, int, int]] = field(default_factory=dict, compare=False)
    """With which runs and discoveries a rule was judged without a verdict. Neither is part of what is known: they save
    looking twice at the same thing."""

    @property
    def study(self) -> Study:
        """The rules, fixed when the campaign was opened."""
        return self.context.study

    @property
    def spec(self) -> ArenaSpec:
        """The arena in words and constants."""
        return self.context.arena.spec

    def judge(self, tested: Tested, rule: ConfirmationOpened, discoveries: int) -> Judgement | None:
        """The gate's verdict on the pairs of a registered rule, None to go on. The same pairs are judged only once."""
        runs, key = tested.runs, f"{rule.hypothesis}:{rule.attempt}:{rule.key_commitment}"
        seen = len(runs[Side.CANDIDATE]), len(runs[Side.INCUMBENT]), discoveries
        if self.undecided.get(key) == seen:
            return None
        judgement = self.context.gate.judge(rule, tested.pairs(), tested.judged, discoveries)
        if judgement.verdict is None:
            self.undecided[key] = seen
            return None
        return judgement

    def is_quiet(self, stage: str, wakes: tuple[type[Event], ...]) -> bool:
        """Whether a stage found nothing to do, and no event of the kinds that could change that has come since."""
        since, changed = self.quiet.get(stage), self.state.changed
        return since is not None and all(changed.get(kind, 0) <= since for kind in wakes)

    @property
    def free_slots(self) -> int:
        """Trial groups that may be sent now."""
        return self.context.slots - len(self.state.in_flight)


def group_of(plan: Plan, key: bytes, study: Study) -> TrialGroup:
    """The trial group of a plan whose seeds derive from `key`."""
    return TrialGroup(
        id=plan.id,
        candidate=plan.candidate,
        trials=tuple(
            Trial(f"{plan.id}.{number}", seeds.seed(key, member.index), member.setting)
            for number, member in enumerate(plan.members)
        ),
        options={**study.options, **plan.options},
        fidelity=plan.fidelity,
        limits=study.limits,
        role=role_of(plan),
        looks=plan.looks,
        together=together(plan),
    )


def role_of(plan: Plan) -> Role:
    """The part of the data that a plan is scored on."""
    return Role.SEARCH if plan.purpose is Purpose.SCREEN else Role.GATE
