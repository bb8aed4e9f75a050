"""What does the lab cost a trial? No-op trials through the real loop; others beside it where installed.

    python benchmarks/overhead.py --trials 10000 --json

CPU time of the lab and all its workers, start-up included, over the number of trials; each trial is a group of its own.
`growth` is the lab's CPU time for the last tenth over that for the first. Optuna and MLflow are timed on what they do
for a trial of the same kind: suggest three numbers, report one score, keep both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from novum.lab.session import session

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = str(HERE)
os.environ["OMP_NUM_THREADS"] = "1"

from noop_arena import NoopArena  # noqa: E402

from novum.core.model.budget import Budget  # noqa: E402
from novum.core.model.study import Study  # noqa: E402


def cpu_seconds() -> float:
    """CPU seconds of this process and of all children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def lab(executor: str, trials: int, directory: Path) -> dict[str, float]:
    """One campaign of no-op trials on disk."""
    marks: list[tuple[int, float]] = []

    def observe(state) -> None:
        if not marks or state.trials >= marks[-1][0] + trials // 10:
            marks.append((state.trials, time.process_time()))

    before, began = cpu_seconds(), time.monotonic()
    study = Study("overhead", "noop", executor=executor)
    with session(study, Budget(trials=trials), directory, workers=1, problem=NoopArena()) as running:
        running.observe = observe
        running.run()
        done = running.state.trials
    tenths = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(marks)]
    return {
        "trials": done,
        "cpu_ms_per_trial": round(1000 * (cpu_seconds() - before) / done, 3),
        "wall_ms_per_trial": round(1000 * (time.monotonic() - began) / done, 3),
        "growth": round(tenths[-1] / tenths[0], 3),
        "bytes_per_trial": round(sum(f.stat().st_size for f in directory.rglob("*") if f.is_file()) / done),
    }


def optuna_with(storage: Callable[[Path], object], trials: int, directory: Path) -> dict[str, float]:
    """Optuna's ask and tell with a random sampler."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage(directory), sampler=optuna.samplers.RandomSampler(0))
    before = cpu_seconds()
    for number in range(trials):
        trial = study.ask()
        values = [trial.suggest_int(name, 0, 39) for name in "abc"]
        study.tell(trial, (sum(values) * number) % 65536 / 65536)
    return {"trials": trials, "cpu_ms_per_trial": round(1000 * (cpu_seconds() - before) / trials, 3)}


def _journal(directory: Path) -> object:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(directory / "optuna.log")))


def mlflow_runs(trials: int, directory: Path) -> dict[str, float]:
    """MLflow: one run, three parameters and one metric."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{directory / 'mlflow.db'}")
    mlflow.set_experiment("overhead")
    before = cpu_seconds()
    for number in range(trials):
        with mlflow.start_run():
            mlflow.log_params(dict.fromkeys("abc", number % 40))
            mlflow.log_metric("score", number / trials)
    return {"trials": trials, "cpu_ms_per_trial": round(1000 * (cpu_seconds() - before) / trials, 3)}


def others(trials: int, directory: Path) -> dict[str, dict[str, float]]:
    """Those that are installed; slow ones with fewer trials."""
    few = max(100, min(500, trials // 20))
    kinds: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("optuna memory", lambda: optuna_with(lambda _: None, min(trials, 1000), directory)),
        ("optuna journal", lambda: optuna_with(_journal, few, directory)),
        ("optuna sqlite", lambda: optuna_with(lambda d: f"sqlite:///{d / 'optuna.db'}", few, directory)),
        ("mlflow sqlite", lambda: mlflow_runs(few, directory)),
    ]
    found = {}
    for name, run in kinds:
        try:
            found[name] = run()
        except ImportError:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--only", choices=["inline", "local"])
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    for executor in [chosen.only] if chosen.only else ["inline", "local"]:
        with tempfile.TemporaryDirectory() as directory:
            rows[f"novum {executor}"] = lab(executor, chosen.trials, Path(directory) / "lab")
    with tempfile.TemporaryDirectory() as directory:
        rows |= others(chosen.trials, Path(directory))
    base = next(iter(rows.values()))["cpu_ms_per_trial"]
    for row in rows.values():
        row["ratio"] = round(row["cpu_ms_per_trial"] / base, 2)
    if chosen.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        print(f"{name:<16}" + "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
