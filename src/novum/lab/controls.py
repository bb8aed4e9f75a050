"""Controls: small campaigns whose outcome is known, with the study's arena, options, gate and executor.

Each has a directory of its own in `LAB/preflight/` and a researcher that proposes exactly one candidate. Nothing in
them is evidence for the campaign; what they cost counts as spent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from novum.core.engine.loop import Lab
from novum.core.events.campaign import Check
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import LARGEST, Budget, LevelSettings
from novum.core.model.candidate import Genome, Setting
from novum.core.model.intervention import Alarm
from novum.core.model.study import (
    CommentSettings,
    FollowUpSettings,
    PolicySettings,
    ResearcherSettings,
    ScreeningSettings,
    Study,
)
from novum.core.model.trial import ArtefactError, GroupResult
from novum.core.model.trial_plan import Plan
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.gate.preflight_checks import affordable
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.researchers.scripted import ScriptedResearcher

POSITIVE, NEGATIVE, NULL_CHANGE = "positive control", "negative control", "negative control: null change"

ESTIMATE = 2
"""Pairs behind the size of a control's finding, which nobody reads."""

FEWEST_PAIRS = 12
"""Pairs without which a control is not worth beginning."""

UNWATCHED = tuple(alarm for alarm in Alarm if alarm not in (Alarm.STALL, Alarm.DISK, Alarm.MEMORY))
"""What nobody looks for in a control: its outcome is known, however good it is."""


@dataclass(frozen=True)
class Control:
    """An experiment of known outcome: what it is called, in words, and what its end says."""

    name: str
    words: str
    options: Setting
    genome: Genome
    conclude: Callable[[CampaignState], Check]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What all controls together may use: trials, and seconds of CPU and wall time; None without a bound."""

    trials: float | None
    cpu_seconds: float | None
    wall_seconds: float | None

    @classmethod
    def of(cls, lab: Lab, share: float | None) -> Allowance:
        """`share` of what the campaign's budget has left; None for no bound at all."""
        if share is None:
            return cls(None, None, None)
        used, budget = lab.state.spent, lab.state.budget
        trials = None if budget.trials is None else share * (budget.trials - used.trials)
        cpu = None if budget.cpu_seconds is None else share * (budget.cpu_seconds - used.cpu_seconds)
        wall = None if budget.wall_seconds is None else share * (budget.wall_seconds - lab.wall_seconds)
        return cls(trials, cpu, wall)

    def less(self, trials: float, cpu_seconds: float, wall_seconds: float) -> Allowance:
        """What is left after some of it was used."""
        return Allowance(
            None if self.trials is None else self.trials - trials,
            None if self.cpu_seconds is None else self.cpu_seconds - cpu_seconds,
            None if self.wall_seconds is None else self.wall_seconds - wall_seconds,
        )

    def budget(self, trials: int) -> Budget:
        """A control's own budget: at most `trials`, and no more than is left."""
        most = trials if self.trials is None else min(trials, int(self.trials))
        return Budget(trials=most, cpu_seconds=self.cpu_seconds, wall_seconds=self.wall_seconds)


@dataclass
class Bench:
    """Where controls run: the campaign's own executor, while the campaign has nothing in flight."""

    lab: Lab
    directory: Path
    allowance: Allowance
    named: bool
    trials: int = field(default=0, init=False)
    cpu_seconds: float = field(default=0.0, init=False)

    @property
    def study(self) -> Study:
        """The campaign's study."""
        return self.lab.context.study

    def controls(self) -> Iterator[Control]:
        """What the arena declares, where its options can be set (`named`)."""
        found = controls_of(self.study, self.lab.context.arena.spec, self.lab.state.incumbents[0].candidate.genome)
        yield from (one for one in found if self.named or one.name != NEGATIVE)

    def affords(self) -> bool:
        """Whether another control is worth beginning with what is left."""
        state, left = self.lab.state, self.allowance
        if self.lab.draining:
            return False
        if state.incumbents[0].candidate.id not in state.scales:
            return False
        cpu, wall = state.prices.usual
        if any(bound is not None and bound < 1e-3 for bound in (left.cpu_seconds, left.wall_seconds)):
            return False
        if left.trials is not None and left.trials < 1:
            return False
        return affordable(left.budget(LARGEST), wall, cpu, self.lab.context.slots) >= self._trials(FEWEST_PAIRS)

    def affords_trial(self) -> bool:
        """Whether one more trial fits into what is left."""
        left, (cpu, wall) = self.allowance, self.lab.state.prices.usual
        bounds = ((left.trials, 1.0), (left.cpu_seconds, cpu), (left.wall_seconds, wall))
        return not self.lab.draining and all(bound is None or bound >= price for bound, price in bounds)

    def score(self, plan: Plan) -> float | None:
        """The score of one trial beside the campaign, at the controls' cost; None when it has none."""
        lab, started = self.lab, time.monotonic()
        group = lab.context.group(plan)
        lab.executor.submit(group)
        done: list[GroupResult] = []
        while not done:
            done = list(lab.executor.collect(1.0))
        result, seconds = done[0], time.monotonic() - started
        self.trials += 1
        self.cpu_seconds += result.usage.cpu_seconds
        self.allowance = self.allowance.less(1, result.usage.cpu_seconds, seconds)
        try:
            artefact = result.outputs[0].artefact
            return None if artefact is None else lab.context.arena.score(group, group.trials[0], artefact).value
        except ArtefactError:
            return None

    def run(self, control: Control) -> Check:
        """One control campaign to its end, and what that says."""
        study, directory = self.study, self._fresh(control.name)
        arena = (
            self.lab.context.arena
            if control.options == study.options
            else self.lab.context.arena_with_options(control.options)
        )
        with session(
            study_of(study, control),
            self.allowance.budget(self._trials(study.gate.max_pairs)),
            directory,
            workers=self.lab.context.slots,
            problem=arena,
            researcher=ScriptedResearcher((control.genome,)),
            place=self.lab.executor,
        ) as inner:
            inner.observe = lambda _: self._heed(inner)
            inner.run()
        self._settle(inner)
        return replace(control.conclude(inner.state), record=head_of(directory))

    def _heed(self, inner: Lab) -> None:
        """An interruption of the campaign is one of its controls."""
        inner.draining = inner.draining or self.lab.draining
        inner.halted = inner.halted or self.lab.halted
        self.lab.observe(self.lab.state)

    def _settle(self, inner: Lab) -> None:
        used = inner.state.spent
        self.trials += used.trials
        self.cpu_seconds += used.cpu_seconds
        self.allowance = self.allowance.less(used.trials, used.cpu_seconds, inner.wall_seconds)

    def _trials(self, pairs: int) -> int:
        """Trials of a control that uses this many pairs."""
        sweep = len(self.lab.context.arena.spec.tuning) * self.study.screening.seeds
        return 2 * sweep + 2 * self.study.gate.calibration_pairs + 2 * pairs + 2 * ESTIMATE + 8

    def _fresh(self, name: str) -> Path:
        """A directory that no earlier preflight has used."""
        plain = name.replace(":", "").replace(" ", "-")
        number = 1
        while (self.directory / f"{plain}-{number}").exists():
            number += 1
        return self.directory / f"{plain}-{number}"


def controls_of(study: Study, spec: ArenaSpec, baseline: Genome) -> Iterator[Control]:
    """The controls that an arena declares for a study."""
    controls, options, base = spec.controls, dict(study.options), dict(baseline)
    if known := controls.known:
        yield Control(POSITIVE, _listed(known), options, {**base, **known}, _positive(known))
    if controls.null_options and known:
        words = f"the known improvement under {_listed(controls.null_options)}"
        changed = {**options, **controls.null_options}
        yield Control(NEGATIVE, words, changed, {**base, **known}, _negative(NEGATIVE, words))
    if controls.null:
        words = f"a change that does nothing: {_listed(controls.null)}"
        yield Control(NULL_CHANGE, words, options, {**base, **controls.null}, _negative(NULL_CHANGE, words))


def study_of(study: Study, control: Control) -> Study:
    """The study of a control campaign: the rules of the study itself, for one candidate and nothing beside it."""
    seeds, fidelity = study.screening.seeds, study.screening.fidelity
    return replace(
        study,
        name=f"{study.name[:60]}-{control.name.replace(':', '')}",
        options=control.options,
        screening=ScreeningSettings(seeds, first_seeds=seeds, fidelity=fidelity, keep_one_in=1, waiting=1),
        researcher=ResearcherSettings("controls"),
        gate=replace(study.gate, estimate_pairs=ESTIMATE, reopenings=0, guardrails=()),
        follow_up=FollowUpSettings(share=0.0),
        policy=PolicySettings(),  # the lab's own question, of a known candidate: nobody has to agree to it
        budgets=LevelSettings(),
        watchdog=replace(study.watchdog, off=UNWATCHED),
        comments=CommentSettings(),
    )


def head_of(directory: Path) -> str:
    """The hash of the last event of a lab; empty when there is none."""
    with Reader(directory) as reader:
        last = deque(reader.rows(), maxlen=1)
    return last[0][5] if last else ""


def _listed(changes: Setting) -> str:
    """In the order in which the record gives them back."""
    return ", ".join(f"{name} = {value}" for name, value in sorted(changes.items()))


def _verdict(state: CampaignState) -> Verdict | None:
    """The verdict on the control's one candidate, None when it has none."""
    judged = [h.verdict.verdict for h in state.hypotheses.values() if h.verdict]
    return judged[0] if judged else None


def _negative(name: str, words: str) -> Callable[[CampaignState], Check]:
    def conclude(state: CampaignState) -> Check:
        if _verdict(state) is Verdict.SUPPORTED:
            return Check(name, False, f"{words} was SUPPORTED: scores leak or the gate is misled")
        return Check(name, True, f"{words} was not supported, as it must be")

    return conclude


def _unsupported(state: CampaignState, changed: str) -> Check:
    """What it means that a known improvement was not supported: measured and worse, or not measured to the end."""
    hypothesis = next(iter(state.hypotheses.values()))
    verdict, gain = hypothesis.verdict, state.advantage(hypothesis)
    if verdict and (verdict.verdict is Verdict.REFUTED or verdict.reason.startswith("futile")):
        said = f"{verdict.verdict} after {verdict.pairs} pairs ({verdict.reason})"
        return Check(POSITIVE, False, f"{changed} should win and was {said}: the study may be blind")
    if verdict is None and gain is not None and gain <= 0:
        return Check(POSITIVE, False, f"{changed} should win and screened {gain:+.3g}: the study may be blind")
    known = f"; it screened {gain:+.3g}" if gain is not None else ""
    words = f"{changed} got no verdict within its share of the budget{known}"
    return Check(POSITIVE, None, words, asked=False)


def _positive(known: Genome) -> Callable[[CampaignState], Check]:
    def conclude(state: CampaignState) -> Check:
        name, changed = POSITIVE, _listed(known)
        if _verdict(state) is Verdict.SUPPORTED:
            verdict = next(h.verdict for h in state.hypotheses.values() if h.verdict)
            words = f"{changed} was found: E = {verdict.e_value:.3g} after {verdict.pairs} pairs"
            return Check(name, True, words, {"pairs": float(verdict.pairs)})
        if not state.hypotheses:
            return Check(name, None, f"{changed} is the baseline already, or not admitted by the options")
        if state.intervention_log.stopped:
            return Check(name, None, f"{changed} got no verdict: {state.intervention_log.stopped}", asked=False)
        return _unsupported(state, changed)

    return conclude
