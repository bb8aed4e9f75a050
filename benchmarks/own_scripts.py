"""Campaigns on adopted scripts beside Optuna's TPE for the same CPU time, at equal compute.

    python benchmarks/own_scripts.py --cpu 600 --seeds 5 --json

For each script and seed: `novum adopt`, then a campaign with so many CPU seconds; then TPE on the three parameters that
the study names first, none that changes the cost of a run, one run for each point, until it has used as much. The
baseline, the lab's incumbent and TPE's best point are then run on `--fresh` seeds that neither has seen, side by side.
Gains are in units of the metric, better is positive; 90 % intervals are Student's over the seeds, paired.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import Project, find_project
from novum.adopt.value_range import suggested
from novum.arenas.program.bundle import Bundle, unpacked
from novum.arenas.program.reported_score import score_of_run
from novum.arenas.program.seeding import seeded
from novum.core.model.candidate import Genome
from novum.core.model.trial import ArtefactError
from novum.governance.hard_budget import parse_budget
from novum.lab.session import session
from novum.sandbox.output_text import clean
from novum.studies.load import load_study

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "scripts"
FRESH = 10_000_000


@dataclass(frozen=True)
class Row:
    """One script and seed. Gains over the baseline on fresh seeds, with the half width of a 90 % interval."""

    script: str
    seed: int
    findings: int
    trials: int
    cpu_seconds: float
    novum: float
    novum_width: float
    tpe: float
    tpe_width: float
    tpe_trials: int
    compute: float
    """CPU time of a run of the lab's incumbent over the baseline's."""


def measured(bundle: Bundle, genome: Genome, seed: int) -> tuple[float | None, float]:
    """The score of one run on a seed, and its CPU seconds."""
    program = bundle.program
    files = {**bundle.shown, **{path: text.encode() for path, text in bundle.space.complete(genome).items()}}
    words = tuple(word.replace("{seed}", str(seed)) for word in program.command)
    start = seeded(words, files, program.seed, seed)
    with tempfile.TemporaryDirectory() as folder:
        for path, data in start.files.items():
            if path == program.score_file:
                continue
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [program.python or sys.executable, *start.words[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        left = {path: Path(folder, path).read_bytes() for path in program.left if Path(folder, path).is_file()}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert program.report
    try:
        score = score_of_run(program.report, clean(done.stdout), left)
    except ArtefactError:
        score = None
    return (score if isinstance(score, float) and done.returncode == 0 else None), cpu


def costly(project: Project) -> set[str]:
    """Parameters that change the cost of a run."""
    every = [one for found in project.declared.values() for one in found]
    return {one.name for one in every if (wide := suggested(one, every)) is not None and wide.cost}


def tpe(bundle: Bundle, costs: set[str], cpu_seconds: float, seed: int) -> tuple[Genome, int]:
    """The best point of TPE on three parameters, and its trials."""
    import optuna

    from novum.researchers.bayes import distribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    up = bundle.program.higher_is_better
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize" if up else "minimize", sampler=sampler)
    chosen = [one for one in bundle.program.parameters if one.name not in costs][:3]
    space = {one.name: distribution(one) for one in chosen}
    used, number = 0.0, 0
    while used < cpu_seconds:
        trial = study.ask(fixed_distributions=space)
        genome = bundle.space.with_parameters({}, trial.params)
        score, cpu = measured(bundle, genome, 1000 + number)
        used, number = used + cpu, number + 1
        study.tell(trial, score, state=None if score is not None else optuna.trial.TrialState.FAIL)
    return bundle.space.with_parameters({}, study.best_params), number


def compared(script: Path, seed: int, cpu_seconds: float, fresh: int, workers: int) -> Row:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, script.name)
        shutil.copytree(script, home)
        project = find_project(home, ())
        project.study_file.write_text(adopt(project, Wishes(), lambda _: None).text)
        study = load_study(str(home)).study
        bundle = unpacked(str(study.options["bundle"]))
        with session(
            replace(study, seed=seed), parse_budget(f"cpu {cpu_seconds:g}s"), Path(folder, "lab"), workers=workers
        ) as lab:
            lab.run()
            state = lab.state
            incumbent, findings = state.incumbent.candidate.genome, state.findings
            trials, spent = state.spent.trials, state.spent.cpu_seconds
        point, tpe_trials = tpe(bundle, costly(project), cpu_seconds, seed)
    gains: dict[str, list[float]] = {"novum": [], "tpe": []}
    cost: list[float] = []
    sign = 1.0 if bundle.program.higher_is_better else -1.0
    for number in range(fresh):
        at = FRESH + number
        base, base_cpu = measured(bundle, {}, at)
        for name, genome in (("novum", incumbent), ("tpe", point)):
            score, cpu = measured(bundle, genome, at)
            if score is not None and base is not None:
                gains[name].append(sign * (score - base))
            if name == "novum":
                cost.append(cpu / base_cpu)
    return Row(
        script.name, seed, len(findings), trials, round(spent, 1), *_interval(gains["novum"]),
        *_interval(gains["tpe"]), tpe_trials, round(statistics.median(cost), 3),
    )  # fmt: skip


def _interval(gains: list[float]) -> tuple[float, float]:
    """Mean and half width at 90 %, by Student's t."""
    from scipy.stats import t

    if len(gains) < 2:
        return (gains[0] if gains else 0.0), float("inf")
    width = float(t.ppf(0.95, len(gains) - 1)) * statistics.stdev(gains) / len(gains) ** 0.5
    return round(statistics.fmean(gains), 5), round(width, 5)


def _words(row: Row) -> str:
    return (
        f"{row.script:12} seed {row.seed}: {row.findings} findings in {row.trials} trials; novum {row.novum:+.4g} "
        f"± {row.novum_width:.2g} at {row.compute} times the compute, TPE {row.tpe:+.4g} ± {row.tpe_width:.2g} "
        f"({row.tpe_trials} trials)"
    )


def folders(named: str) -> list[Path]:
    """The folders of scripts that are named, separated by commas; of all examples where none is."""
    return [Path(one) for one in named.split(",") if one] or sorted(one for one in EXAMPLES.iterdir() if one.is_dir())


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", type=float, default=600.0, help="CPU seconds of each side")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--fresh", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scripts", default="", help="folders, separated by commas; default: examples/scripts/*")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for script in folders(given.scripts):
        for seed in range(given.first, given.first + given.seeds):
            row = compared(script, seed, given.cpu, given.fresh, given.workers)
            rows.append(row)
            if not given.json:
                print(_words(row), flush=True)
    if given.json:
        print(json.dumps({"cpu": given.cpu, "fresh": given.fresh, "rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
