"""The preflight: experiments of known outcome, run before the budget is spent.

Each control is a small campaign of its own in `LAB/preflight/`, with the study's arena, options, gate and executor and
a researcher that proposes exactly one candidate. Nothing in it is evidence for the campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from novum import wiring
from novum.core.events import Check, PreflightRecorded, SessionEnded
from novum.core.loop import Lab
from novum.core.nouns import Card, Genome, Setting
from novum.core.plans import Member, Plan, Purpose, Side, Verdict
from novum.core.ports import Arena, Executor
from novum.core.state import State
from novum.core.study import Budget, ResearcherSettings, ScreeningSettings, Study
from novum.gate import preflight as conclude
from novum.researchers.scripted import ScriptedResearcher

PATIENCE = 600.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Control:
    """A control campaign that has ended."""

    state: State
    same: bool | None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on its one candidate, None when it was not promoted."""
        judged = [h.verdict.verdict for h in self.state.hypotheses.values() if h.verdict]
        return judged[0] if judged else None


def preflight(
    study: Study,
    budget: Budget,
    directory: Path,
    *,
    workers: int | None = None,
    say: Say = lambda _: None,
    arena: Arena | None = None,
) -> PreflightRecorded:
    """Run the checks of `study` under `budget` and return what they say; `say` is told what is being done.

    `arena` replaces the one that the study names; options for nulls cannot be set on it, so that control is left out.
    Raises what `wiring.session` raises. The record of the controls stays in `directory`/preflight.
    """
    problem = arena or wiring.arena(study)
    wiring.require(problem)
    count = workers or (1 if study.executor == "inline" else wiring.cores())
    with wiring.executor(study, problem, count) as place:
        bench = _Bench(study, problem, directory / "preflight", count, place, named=arena is None)
        return _assess(study, budget, problem, bench, say)


def record_preflight(
    study: Study, budget: Budget, directory: Path, *, workers: int | None = None, say: Say = lambda _: None
) -> PreflightRecorded:
    """Run :func:`preflight` and append its answer to the ledger of the lab in `directory`, opening it if need be."""
    with wiring.session(study, budget, directory, workers=workers) as lab:
        found = preflight(study, budget, directory, workers=workers, say=say)
        lab.record([found, SessionEnded(lab.state.session, "preflight recorded", lab.elapsed)])
    return found


def _assess(study: Study, budget: Budget, problem: Arena, bench: _Bench, say: Say) -> PreflightRecorded:
    card, controls = problem.card, problem.card.controls
    base = dict(problem.space.validate(study.baseline or card.baseline))
    say("positive control, noise and cost of a trial")
    known = bench.run("known", study, {**base, **controls.known} if controls.known else None)
    scores = _calibration(known.state)
    checks = [conclude.noise(card, scores), _determinism(known), conclude.range_left(card, scores)]
    sigma = known.state.scales[known.state.incumbents[0].candidate.id].sigma if known.state.scales else 0.0
    if sigma > 0:
        checks.append(conclude.against_itself(study, scores, sigma))
    say("negative controls")
    runs = [known]
    for name, words, options, genome in _nulls(study, card, base):
        if options != study.options and not bench.named:
            continue
        null = bench.run(name, replace(study, options=options), genome)
        runs.append(null)
        checks.append(_negative(words, null))
    checks.append(_positive(controls.known, known))
    trials = sum(run.state.trials for run in runs)
    cpu = sum(run.state.cpu_seconds for run in runs)
    each = known.state.cpu_seconds / max(1, known.state.trials)
    sweep = len(card.tuning) * study.screening.seeds
    check, conclusion = conclude.reach(study, budget, each, each, sweep, bench.workers)
    checks.append(check)
    ok = all(check.ok is not False for check in checks)
    return PreflightRecorded(tuple(checks), conclusion, ok, budget, trials, cpu)


@dataclass(frozen=True)
class _Bench:
    """Where controls run: the same executor for all of them."""

    study: Study
    problem: Arena
    directory: Path
    workers: int
    place: Executor
    named: bool

    def run(self, name: str, study: Study, genome: Genome | None) -> _Control:
        """One control campaign with one candidate, or none: then only the baseline is tuned and calibrated."""
        seeds, fidelity = study.screening.seeds, study.screening.fidelity
        every = ScreeningSettings(seeds, first_seeds=seeds, fidelity=fidelity, keep_one_in=1, waiting=1)
        author = ResearcherSettings("controls")
        quick = replace(study, name=f"{self.study.name}-{name}", screening=every, researcher=author)
        problem = self.problem if study.options == self.study.options else wiring.arena(study)
        script = ScriptedResearcher((genome,) if genome is not None else ())
        allowed = Budget(trials=self._enough(study))
        directory = self._fresh(name)
        with wiring.session(
            quick, allowed, directory, workers=self.workers, problem=problem, researcher=script, place=self.place
        ) as lab:
            lab.run()
            return _Control(lab.state, _repeats(lab))

    def _enough(self, study: Study) -> int:
        gate, sweep = study.gate, len(self.problem.card.tuning) * study.screening.seeds
        return 2 * sweep + 2 * gate.calibration_pairs + 2 * gate.max_pairs + 2 * gate.estimate_pairs + 8

    def _fresh(self, name: str) -> Path:
        """A directory that no earlier preflight has used."""
        number = 1
        while (self.directory / f"{name}-{number}").exists():
            number += 1
        return self.directory / f"{name}-{number}"


def _nulls(study: Study, card: Card, base: Genome) -> list[tuple[str, str, Setting, Genome]]:
    """The negative controls that the arena declares: name, words, options, candidate."""
    controls = card.controls
    found: list[tuple[str, str, Setting, Genome]] = []
    if controls.null_options and controls.known:
        options = {**study.options, **controls.null_options}
        changed = ", ".join(f"{name} = {value}" for name, value in controls.null_options.items())
        found.append(("null-options", f"the known improvement under {changed}", options, {**base, **controls.known}))
    if controls.null:
        changed = ", ".join(f"{name} = {value}" for name, value in controls.null.items())
        found.append(
            ("null", f"a change that does nothing ({changed})", dict(study.options), {**base, **controls.null})
        )
    return found


def _negative(words: str, control: _Control) -> Check:
    supported = control.verdict is Verdict.SUPPORTED
    outcome = "was SUPPORTED: scores leak or the gate is misled" if supported else "was not supported, as it must be"
    return Check("negative control", not supported, f"{words} {outcome}")


def _positive(known: Genome, control: _Control) -> Check:
    if not known:
        return Check("positive control", None, "the arena declares no known improvement")
    changed = ", ".join(f"{name} = {value}" for name, value in known.items())
    if control.verdict is Verdict.SUPPORTED:
        verdict = next(h.verdict for h in control.state.hypotheses.values() if h.verdict)
        words = f"{changed} was found: E = {verdict.e_value:.3g} after {verdict.pairs} pairs"
        return Check("positive control", True, words, {"pairs": float(verdict.pairs)})
    if not control.state.hypotheses:
        return Check("positive control", None, f"{changed} is the baseline already, or not admitted by the options")
    said = control.verdict or "not promoted by screening"
    return Check("positive control", False, f"{changed} should win and was {said}: the study may be blind")


def _determinism(control: _Control) -> Check:
    if control.same is None:
        return Check("determinism", None, "no run could be repeated")
    words = "the same seed gives the same artefact" if control.same else "the same seed gives another artefact"
    return Check("determinism", True if control.same else None, words)


def _repeats(lab: Lab) -> bool | None:
    """Whether the baseline's first calibration run comes out the same, byte for byte, when run again."""
    incumbent = lab.state.incumbents[0].candidate
    first = lab.state.calibration.get(incumbent.id, {}).get(0)
    if first is None or first.artefact is None or incumbent.id not in lab.state.tuned:
        return None
    setting = lab.state.tuned[incumbent.id].setting
    plan = Plan("again", Purpose.CALIBRATE, incumbent.id, Side.INCUMBENT, incumbent, (Member(0, setting),))
    lab.executor.submit(lab.house.group(plan))
    for result in lab.executor.collect(PATIENCE):
        artefact = result.deliveries[0].artefact
        return artefact is not None and lab.keep(artefact) == first.artefact
    return None


def _calibration(state: State) -> list[float | None]:
    """Scores of the baseline's A/A runs in the order of their seeds."""
    runs = state.calibration.get(state.incumbents[0].candidate.id, {})
    return [runs[index].score for index in sorted(runs)]
