"""A blind search of the sequence study beside random search for the same CPU time: which parts each confirms.

    python benchmarks/blind_search.py --seeds 2 --cpu 1200 --json
    python benchmarks/blind_search.py --seeds 2 --cpu 1200 --without rotating --json

For each seed and researcher: a campaign of the built-in study `sequence` with so many CPU seconds,
without the preflight's controls. A part of a mixer counts as confirmed where a supported finding that was not retracted
has it and the incumbent that it was tested against has not. The baseline and the last incumbent are then trained at
their best learning rates on fresh paired seeds; the interval of the gain is Student's at 90 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from intervals import mean_interval

from novum.api import read_archive
from novum.arenas.sequence import trial as program
from novum.arenas.sequence.arena import SequenceArena
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.spec import RATES
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.study import ResearcherSettings, Study
from novum.core.model.trial import Trial, TrialGroup
from novum.core.state.full_state import FullState
from novum.lab.session import session
from novum.studies.load import load_study
from novum.views.campaign_summary import Finding, summarise

FRESH = 10_000_000
SWEPT = 20_000_000

PARTS: Mapping[str, Callable[[Genome], bool]] = {
    "short convolution": lambda genome: int(genome["taps"]) > 0,
    "a write that corrects": lambda genome: genome["write"] != "hebb",
    "delta write": lambda genome: genome["write"] == "delta",
    "beta in (0, 2)": lambda genome: genome["beta"] == 2,
    "rotation": lambda genome: bool(genome["rotating"]),
    "decay": lambda genome: genome["decay"] != "none",
}
"""What a genome has, by the words for it."""


@dataclass(frozen=True)
class Found:
    """A supported finding."""

    change: str
    grade: str
    effect: float | None
    interval: tuple[float, float] | None
    e_value: float
    threshold: float
    pairs: int
    parts: list[str]
    """That it has and the incumbent that it was tested against has not."""


@dataclass(frozen=True)
class Campaign:
    """One seed of one researcher."""

    researcher: str
    seed: int
    hypotheses: int
    confirmed: int
    """Hypotheses with a verdict of the gate."""
    trials: int
    cpu_seconds: float
    shares: dict[str, float]
    """CPU seconds of trials by what they were for."""
    findings: list[Found]
    parts: list[str]
    """Confirmed ones."""
    best: str
    """The last incumbent's changes to the baseline."""
    baseline: dict[str, float]
    incumbent: dict[str, float]
    """Means over fresh seeds, of the score and of each task."""
    gain: float
    low: float
    high: float


def searched(study: Study, seconds: float, folder: Path) -> FullState:
    """The record of a campaign in `folder`, which goes on where it stopped."""
    with session(study, Budget(cpu_seconds=seconds), folder, workers=1) as lab:
        lab.run()
    return read_archive(folder)


def campaign(study: Study, state: FullState, fresh: int) -> Campaign:
    """What a record says, and what fresh seeds say of its incumbent."""
    told = summarise(state)
    findings = [_found(one) for one in told.findings]
    sound = [one for one in findings if not one.grade.startswith("retracted")]
    held = {part for one in sound for part in one.parts}
    shares: Counter[str] = Counter()
    for done in state.finished.values():
        shares[str(state.plan(done.group).purpose)] += done.cpu_seconds
    options = Options.taken(study.options)
    genomes = [dict(state.incumbents[0].candidate.genome), dict(state.incumbents[-1].candidate.genome)]
    before, after = (_on_fresh_seeds(options, genome, fresh) for genome in genomes)
    gain, low, high = mean_interval([b - a for a, b in zip(before["score"], after["score"], strict=True)])
    return Campaign(
        researcher=study.researcher.name,
        seed=study.seed,
        hypotheses=told.hypotheses,
        confirmed=sum(one.verdict is not None for one in state.hypotheses.values()),
        trials=told.trials,
        cpu_seconds=round(told.cpu_seconds, 1),
        shares={name: round(value, 1) for name, value in sorted(shares.items())},
        findings=findings,
        parts=[part for part in PARTS if part in held],
        best=_changes(genomes[0], genomes[1]),
        baseline={name: round(statistics.fmean(values), 4) for name, values in before.items()},
        incumbent={name: round(statistics.fmean(values), 4) for name, values in after.items()},
        gain=round(gain, 4),
        low=round(low, 4),
        high=round(high, 4),
    )


def _found(one: Finding) -> Found:
    new = [part for part, has in PARTS.items() if has(one.candidate) and not has(one.incumbent)]
    return Found(
        one.change, one.grade, one.effect, one.interval, round(one.e_value, 1), round(one.threshold, 1), one.n, new
    )


def _changes(before: Genome, after: Genome) -> str:
    return ", ".join(f"{name} = {value}" for name, value in after.items() if before.get(name) != value)


def _on_fresh_seeds(options: Options, genome: Genome, seeds: int) -> dict[str, list[float]]:
    """Scores, and those of each task, at the rate that is best on two other seeds."""
    arena = SequenceArena(options)
    swept = {rate: statistics.fmean(_scores(arena, genome, SWEPT, 2, rate)["score"]) for rate in RATES}
    return _scores(arena, genome, FRESH, seeds, max(swept, key=lambda rate: swept[rate]))


def _scores(arena: SequenceArena, genome: Genome, first: int, seeds: int, rate: float) -> dict[str, list[float]]:
    trials = tuple(Trial(str(seed), seed, {"lr": rate}) for seed in range(first, first + seeds))
    group = TrialGroup("fresh", Candidate(genome), trials, asdict(arena.options))
    found: dict[str, list[float]] = {"score": []}
    for trial, made in zip(trials, program.run(group), strict=True):
        if made.artefact is None:  # counts as chance
            found["score"].append(arena.spec.floor or 0.0)
            continue
        score = arena.score(group, trial, made.artefact)
        for name, value in {"score": score.value, **score.others}.items():
            found.setdefault(name, []).append(value)
    return found


def main() -> None:
    """Print the campaigns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", type=float, default=1200.0, help="seconds of each campaign")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--researchers", default="evolve,random")
    parser.add_argument("--without", default="", help="further genes that no candidate may use, separated by commas")
    parser.add_argument("--fresh", type=int, default=8, help="seeds on which the last incumbent is measured")
    parser.add_argument("--steps", type=int, default=0, help="of training, instead of the study's")
    parser.add_argument("--labs", default="", help="keep the records here; what is there goes on")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    study = load_study("sequence").study
    without = ", ".join(filter(None, (str(study.options["without"]), given.without)))
    options = {**study.options, "without": without} | ({"steps": given.steps} if given.steps else {})
    rows = []
    with tempfile.TemporaryDirectory() as other:
        for seed in range(given.first, given.first + given.seeds):
            for name in given.researchers.split(","):
                settings = study.researcher if name == study.researcher.name else ResearcherSettings(name)
                one = replace(study, seed=seed, options=options, researcher=settings)
                folder = Path(given.labs or other, f"{name}-{seed}")
                row = campaign(one, searched(one, given.cpu, folder), given.fresh)
                rows.append(row)
                print(_words(row), file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps({"cpu": given.cpu, "options": options, "rows": [asdict(row) for row in rows]}, indent=1))


def _words(row: Campaign) -> str:
    lines = [
        f"{row.researcher}, seed {row.seed}: {row.baseline['score']:.3f} -> {row.incumbent['score']:.3f}, gain "
        f"{row.gain:+.3f} [{row.low:+.3f}, {row.high:+.3f}]; {len(row.findings)} findings of {row.confirmed} confirmed "
        f"of {row.hypotheses} hypotheses, {row.trials} trials, {row.cpu_seconds:.0f} CPU s {row.shares}",
        f"  confirmed parts: {', '.join(row.parts) or 'none'}; best: {row.best}",
    ]
    return "\n".join([*lines, *(f"  {one.grade}: {one.change}, {one.effect}" for one in row.findings)])


if __name__ == "__main__":
    main()
