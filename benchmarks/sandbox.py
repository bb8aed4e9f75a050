"""What do the walls cost? A sandboxed `python -c pass` beside the bare one, a sandboxed torch trial beside a fresh one.

    python benchmarks/sandbox.py --json

Medians of alternating runs. CPU time is that of all processes of a run, as the parent sees it after reaping them, the
parent itself included. The trial is five SGD steps, in a child of the warm fork server; without PyTorch it is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)  # where servers find the trial

from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
from novum.sandbox import Job, Tier, run, sandbox_status

PASS = Job(("python", "-c", "pass"))


def below() -> float:
    """CPU seconds of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cost(act: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall milliseconds; the CPU of this process, which supervises, counts too."""
    cpu, own, wall = below(), time.process_time(), time.monotonic()
    act()
    return 1000 * (below() - cpu + time.process_time() - own), 1000 * (time.monotonic() - wall)


def bare() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def boxed(tier: Tier) -> None:
    ended = run(PASS, tier)
    assert ended.kind is None, ended


def start_up(runs: int, tiers: list[Tier]) -> dict[str, float]:
    """Medians of bare and sandboxed starts, in turn, and their ratios."""
    acts: dict[str, Callable[[], object]] = {"bare": bare}
    for tier in tiers:
        acts[str(tier)] = lambda tier=tier: boxed(tier)
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    for _ in range(runs):
        for name, act in acts.items():
            seen[name].append(cost(act))
    result = {}
    for name, costs in seen.items():
        for position, unit in enumerate(("cpu_ms", "wall_ms")):
            result[f"{name}_{unit}"] = round(statistics.median(pair[position] for pair in costs), 2)
    for name in list(acts)[1:]:
        for unit in ("cpu_ms", "wall_ms"):
            result[f"{name}_{unit[:-3]}_ratio"] = round(result[f"{name}_{unit}"] / result[f"bare_{unit}"], 2)
    return result


def trials(count: int, tier: Tier | None) -> tuple[float, float]:
    """CPU and wall milliseconds of one trial in the fork server: medians, start of the server not counted."""
    costs = []
    with LocalExecutor("sandbox_trial", 1, sandbox=tier) as executor:
        for number in range(count + 3):
            group = TrialGroup(f"g{number}", Candidate({}), (Trial(f"t{number}", number),))
            begin = time.monotonic()
            executor.submit(group)
            while not (results := executor.collect(60.0)):
                pass
            assert results[0].outputs[0].failure is None, results[0].outputs[0].cause
            costs.append((1000 * results[0].usage.cpu_seconds, 1000 * (time.monotonic() - begin)))
    return statistics.median(cpu for cpu, _ in costs[3:]), statistics.median(wall for _, wall in costs[3:])


def fresh() -> None:
    """The same trial in a process that imports everything itself."""
    subprocess.run([sys.executable, "-c", "import sandbox_trial; sandbox_trial.train(1)"], check=True)


def torch_trial(runs: int, tier: Tier | None) -> dict[str, float]:
    """A torch trial in the fork server without and with walls, and in a fresh process."""
    alone = [cost(fresh) for _ in range(max(min(3, runs), runs // 7))]
    result = {}
    for name, sandbox in (("trial_plain", None), ("trial_boxed", tier)):
        result[f"{name}_cpu_ms"], result[f"{name}_wall_ms"] = (round(one, 1) for one in trials(runs, sandbox))
    result["trial_fresh_cpu_ms"] = round(statistics.median(cpu for cpu, _ in alone), 1)
    result["trial_fresh_wall_ms"] = round(statistics.median(wall for _, wall in alone), 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    best = sandbox_status().tier
    tiers = [] if best is Tier.NONE else [best]
    result: dict[str, object] = {"tier": str(best), **start_up(chosen.runs, tiers)}
    if find_spec("torch") is not None:
        result |= torch_trial(chosen.runs, tiers[0] if tiers else None)
    print(json.dumps(result) if chosen.json else "\n".join(f"{key:<28} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
