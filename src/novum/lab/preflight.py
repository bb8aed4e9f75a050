"""The preflight: can this study succeed at all? Asked before its budget is spent, by experiments of known outcome.

The baseline's sweep and its A/A runs are the campaign's own first trials; noise, range, determinism, leaks and power
are read from them. The controls are small campaigns of their own (`novum.lab.controls`) for which the campaign's budget
pays; what it cannot pay for is not asked, and the answer says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from novum.core.engine.decide import decide, measure
from novum.core.engine.loop import Lab
from novum.core.events.campaign import Check, PreflightRecorded, SessionEnded
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyRefused
from novum.core.model.ports import Arena, DeclaresExamples, MakesTruth
from novum.core.model.study import Study
from novum.core.model.trial import ArtefactError, TrialGroup
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.gate import preflight_answers as answers
from novum.gate import preflight_checks as conclude
from novum.gate.leak_check import leak
from novum.lab.controls import Allowance, Bench
from novum.lab.session import session

SHARE = 0.20
"""Of the budget: what the controls may take when they are not asked for by name."""

PATIENCE = 600.0
CHANGED = 8
"""Changed candidates that are tried where the metric has no noise."""

POWER = "power"
NOT_REPEATED = Check("determinism", None, "not asked, which saves a run; `novum preflight` asks", asked=False)

Say = Callable[[str], None]


def preflight(
    study: Study,
    budget: Budget,
    directory: Path,
    *,
    workers: int | None = None,
    say: Say = lambda _: None,
    arena: Arena | None = None,
) -> PreflightRecorded:
    """Ask everything, record the answer in the lab in `directory` (opened if need be), and return it.

    `arena` replaces the one that the study names; options for nulls cannot be set on it, so that control is left out.
    Raises what `session` raises.
    """
    with session(study, budget, directory, workers=workers, problem=arena) as lab:
        found = examine(lab, directory, say=say, share=None, named=arena is None)
        lab.record([found, SessionEnded(lab.state.session, "preflight recorded", lab.elapsed)])
    return found


def clear(lab: Lab, directory: Path, *, say: Say = lambda _: None, force: bool = False, named: bool = True) -> None:
    """Make sure that the campaign has a preflight for its rules and its budget. Raises StudyRefused unless `force`.

    An answer that is recorded already is not asked for again; with another budget, only what depends on it is.
    """
    known = lab.state.preflight
    if known is None or known.budget != lab.state.budget:
        known = examine(lab, directory, say=say, share=SHARE, named=named)
        if lab.draining or lab.state.intervention_log.stopped or lab.state.intervention_log.holds:
            return  # nothing was asked that the study could have answered
        lab.record([known])
    if not known.ok and not force:
        reasons = "; ".join(f"{check.name}: {check.words}" for check in known.checks if check.ok is False)
        lab.record([SessionEnded(lab.state.session, f"refused by the preflight: {reasons}", lab.elapsed)])
        raise StudyRefused(
            f"the preflight says that this study cannot succeed ({reasons}); {known.conclusion}. "
            "Mend it, give it more budget, or run it anyway with --force"
        )


def examine(lab: Lab, directory: Path, *, say: Say, share: float | None, named: bool) -> PreflightRecorded:
    """Ask the questions that are not answered yet. `share` of the budget is what controls may take, None: all."""
    say("preflight: noise of the baseline")
    before = lab.state.preflight
    _measure(lab)
    allowance = Allowance.of(lab, share)
    bench = Bench(lab, directory / "preflight", allowance, named)
    frugal = share is not None and lab.context.study.gate.process == "scale-free"
    checks = [*_own(bench, before, frugal), *_controlled(bench, before, say)]
    check, conclusion = answers.reach(lab.state)
    checks.append(check)
    ok = all(check.ok is not False for check in checks)
    return PreflightRecorded(tuple(checks), conclusion, ok, lab.state.budget, bench.trials, bench.cpu_seconds)


def _measure(lab: Lab) -> None:
    """Run the campaign until the noise of its baseline is known, and nothing else; nothing stays in flight."""
    lab.policy = measure
    while lab.step():
        lab.observe(lab.state)
    lab.policy = decide


def _own(bench: Bench, before: PreflightRecorded | None, frugal: bool) -> Iterator[Check]:
    """What the campaign's own first runs say. frugal: without a run that would only answer a question."""
    lab, state = bench.lab, bench.lab.state
    kept = {check.name: check for check in before.checks if check.asked} if before else {}
    baseline = state.incumbents[0].candidate
    yield (noise := answers.noise(state))
    if baseline.id not in state.scales:
        return
    if noise.figures.get("sigma", 1.0) < conclude.NEAR:
        yield kept.get(conclude.MOVES) or _moves(bench, baseline, noise.figures["mean"])
    yield kept.get("determinism") or (NOT_REPEATED if frugal else _determinism(lab, baseline))
    yield answers.range_left(state)
    yield answers.claim(state)
    if grouped := answers.groups(state):
        yield grouped
    if apart := answers.shifted(state):
        yield apart
    if against := answers.against_itself(state):
        yield against
    yield kept.get("leak") or _leak(lab, baseline)
    if isinstance(lab.context.arena, MakesTruth):
        yield kept.get(conclude.TRUTH) or _truth(lab, lab.context.arena, baseline)


def _controlled(bench: Bench, before: PreflightRecorded | None, say: Say) -> Iterator[Check]:
    """The controls, those with an answer already left as they are."""
    kept = {check.name: check for check in before.checks if check.asked} if before else {}
    for control in bench.controls():
        if control.name in kept:
            yield kept[control.name]
        elif not bench.affords():
            words = f"not asked, it would take more than its share of this budget: {control.words}"
            yield Check(control.name, None, words, asked=False)
        else:
            say(f"preflight: {control.name} ({control.words})")
            yield bench.run(control)


def _moves(bench: Bench, baseline: Candidate, level: float) -> Check:
    """Whether changed candidates score other than the baseline, which scores the same for every seed."""
    lab, space = bench.lab, bench.lab.context.arena.space
    rng, setting = random.Random(f"preflight:{bench.study.seed}"), lab.state.tuned[baseline.id].setting
    scores: list[float | None] = []
    tried = {baseline.id}
    for attempt in range(4 * CHANGED):
        genome = space.mutate(baseline.genome, rng) if attempt % 2 == 0 else space.sample(rng)
        candidate = Candidate(genome)
        if candidate.id in tried or len([one for one in scores if one is not None]) >= CHANGED:
            continue
        if not bench.affords_trial():
            break
        tried.add(candidate.id)
        scores.append(bench.score(_plan(candidate, Purpose.CALIBRATE, setting)))
        if scores[-1] not in (None, level):
            break
    return conclude.metric_moves(level, scores, CHANGED)


def _determinism(lab: Lab, baseline: Candidate) -> Check:
    """Whether the baseline's first calibration run comes out the same, byte for byte, when run again."""
    first = lab.state.calibration.get(baseline.id, {}).get(0)
    if first is None or first.artefact is None:
        return Check("determinism", None, "no run could be repeated")
    again = _plan(baseline, Purpose.CALIBRATE, lab.state.tuned[baseline.id].setting)
    lab.executor.submit(lab.context.group(again))
    artefact = next((r.outputs[0].artefact for r in lab.executor.collect(PATIENCE)), None)
    same = artefact is not None and lab.keep(artefact) == first.artefact
    words = "the same seed gives the same artefact" if same else "the same seed gives another artefact"
    return Check("determinism", True if same else None, words)


def _truth(lab: Lab, arena: MakesTruth, baseline: Candidate) -> Check:
    """Whether what a candidate knows is enough to make the truth that it is scored against."""
    group = lab.context.group(_plan(baseline, Purpose.SCREEN, lab.context.arena.spec.tuning[0]))
    try:
        return conclude.truth(arena.guessed(group, group.trials[0]))
    except ArtefactError as error:
        return Check(conclude.TRUTH, None, f"it could not be tried: {error}", asked=False)


def _leak(lab: Lab, baseline: Candidate) -> Check:
    """Overlap between what the search and the gate are scored on, where the arena declares it."""
    arena = lab.context.arena
    if not isinstance(arena, DeclaresExamples):
        return leak([], [])
    seen: list[list[object]] = [[], []]
    setting = lab.context.arena.spec.tuning[0]
    for number, purpose in enumerate((Purpose.SCREEN, Purpose.CONFIRM)):
        group: TrialGroup = lab.context.group(_plan(baseline, purpose, setting, lab.context.study.screening.seeds))
        seen[number] = [arena.examples(group, trial) for trial in group.trials]
    return leak(*seen)  # type: ignore[arg-type]  # what an arena declares is checked where it is used


def _plan(candidate: Candidate, purpose: Purpose, setting: object, seeds: int = 1) -> Plan:
    members = tuple(Member(index, setting) for index in range(seeds))  # type: ignore[arg-type]
    return Plan("preflight", purpose, candidate.id, Side.INCUMBENT, candidate, members)
