"""Every benchmark runs at its smallest size and says what its page promises. Speed itself is never asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"
SMALLEST = {
    "decisions.py": (["--trials", "150"], {"1 slots", "4 slots"}),
    "ledger.py": (["--events", "1500"], {"events", "open_seconds"}),
    "lab_calibration.py": (["--campaigns", "1", "--confirmations", "2"], {"settings"}),
    "holdout.py": (["--repeats", "1", "--asks", "2"], {"settings", "climb"}),
    "readers.py": (["--readers", "2", "--seconds", "4"], {"stale_median_ms"}),
    "fork.py": (["--trials", "6", "--repeats", "1"], {"fork_cpu_ms"}),
    "sandbox.py": (["--runs", "1"], {"tier", "bare_cpu_ms"}),
    "own_scripts.py": (
        ["--scripts", str(Path(__file__).parent / "script"), "--cpu", "2", "--seeds", "1", "--fresh", "2"],
        {"rows"},
    ),
    "script_edits.py": (
        ["--scripts", str(Path(__file__).parent / "script"), "--proposals", "3", "--researchers", "bayes"],
        {"rows"},
    ),
    "models_in_flight.py": (
        ["--latency", "0.2", "--workers", "2", "--trial", "0.2", "--seconds", "5", "--after", "3"],
        {"busy", "most_in_flight"},
    ),
    "scaling_coverage.py": (
        ["--refits", "2", "--resamples", "10", "--settings", "1"],
        {"coverage", "prediction", "comparison", "speed"},
    ),
    "training.py": (
        ["--trials", "2", "--steps", "2", "--repeats", "1", "--only", "delta", "--compiling", "never"],
        {"rows"},
    ),
    "architectures.py": (["--seeds", "2", "--steps", "3", "--only", "overwrite"], {"measured", "checks"}),
    "programs.py": (
        ["--seeds", "1", "--bound", "0.5"],
        {
            "programs_per_second",
            "demo_median_cpu_seconds",
            "demo_cpu_seconds",
            "demo_solved",
            "random_solved",
            "differing",
        },
    ),
    "optimisers.py": (
        ["--tasks", "quadratic", "--only", "SGD,momentum", "--seeds", "2", "--steps", "5", "--part", "rules"],
        {"rules", "paired", "by_width", "campaigns", "checks"},
    ),
    "local_learning.py": (
        [
            "--samples",
            "64",
            "--seeds",
            "2",
            "--tasks",
            "mnist1d",
            "--only",
            "feedback",
            "--widths",
            "16",
            "--depths",
            "2",
            "--steps",
            "3",
            "--cells",
            "2",
        ],
        {"accuracy", "agreement", "checks"},
    ),
    "memory_rules.py": (
        ["--cpu", ".2", "--seeds", "1", "--kinds", "1", "--repeats", "2", "--size", "8"],
        {"streams per core-minute", "table", "ladder", "search"},
    ),
    "regret_rules.py": (
        ["--cpu", ".2", "--seeds", "1", "--trials", "2", "--iterations", "10"],
        {"known", "milliseconds", "tuned", "search"},
    ),
    "blind_search.py": (
        ["--seeds", "1", "--cpu", "2", "--steps", "1", "--fresh", "1", "--researchers", "random"],
        {"rows"},
    ),
    "hybrids.py": (["--seeds", "2", "--steps", "1", "--mixers", "linear"], {"measured", "conclusions"}),
    "transfer.py": (
        ["--seeds", "2", "--steps", "1", "--mixers", "linear,conv", "--problems", "small,bytes"],
        {"correlations"},
    ),
    "known_entropy.py": (["--only", "hidden", "--small", "--flop", "3e9"], {"rows"}),
    "adaptation.py": (
        ["--seeds", "2", "--steps", "2", "--tasks", "tables", "--only", "neighbours"],
        {"measured", "checks"},
    ),
    "overhead.py": (["--trials", "60", "--only", "inline"], {"novum inline"}),
    "remote_overhead.py": (
        ["--trials", "16", "--tuned", "2", "--repeats", "1"],
        {"novum local", "novum remote", "novum ray", "ray calls", "ray tune"},
    ),
    "remote_crash.py": (["--kills", "2"], {"kills", "lost_events", "stuck", "record_holds", "restart_median_seconds"}),
    "simulated_cluster.py": (["--slots", "40", "--rounds", "3"], {"clusters"}),
}
ELSEWHERE = {"crash.py", "gate_calibration.py"}
"""With tests of their own."""
SLOW = {"known_entropy.py", "remote_overhead.py"}
"""Seven processes that import torch; two clusters."""
NEEDING_TORCH = {
    "adaptation.py",
    "optimisers.py",
    "fork.py",
    "training.py",
    "architectures.py",
    "blind_search.py",
    "hybrids.py",
    "transfer.py",
    "known_entropy.py",
    "local_learning.py",
}


def test_no_benchmark_is_left_out():
    scripts = {path.name for path in HERE.glob("*.py") if "argparse" in path.read_text()}
    assert scripts == set(SMALLEST) | ELSEWHERE


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "script", [pytest.param(one, marks=pytest.mark.slow) if one in SLOW else one for one in SMALLEST]
)
def test_it_runs_and_prints_one_json_object_with_its_keys(script):
    words, keys = SMALLEST[script]
    if script in NEEDING_TORCH:
        pytest.importorskip("torch")
    if script in ("programs.py", "memory_rules.py", "regret_rules.py"):
        pytest.importorskip("numba")
    if script == "models_in_flight.py":
        pytest.importorskip("pydantic_ai")
    done = subprocess.run(
        [sys.executable, str(HERE / script), *words, "--json"],
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert keys <= set(json.loads(done.stdout)), done.stdout[:500]
