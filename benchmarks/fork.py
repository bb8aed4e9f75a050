"""What does it cost to run a torch trial in a process of its own? The warm fork server beside a fresh process.

    python benchmarks/fork.py --json

CPU time of everything below the lab, per trial: the slope between few and many trials, so that the start of the server
does not count. The trial is a training of two steps.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys

os.environ["OMP_NUM_THREADS"] = "1"

from novum.arenas.recall.space import SPACE
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor

PROGRAM = "novum.arenas.recall.trial"
OPTIONS = {"steps": 2, "held_out": 8, "batch": 2}
ALONE = f"""
from novum.arenas.recall.space import SPACE
from novum.arenas.recall.trial import run
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
candidate = Candidate(SPACE.validate({{}}))
run(TrialGroup("g", candidate, (Trial("t", 1, {{"lr": 0.01}}),), {OPTIONS!r}))
"""


def below() -> float:
    """CPU seconds of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def served(trials: int) -> float:
    """CPU seconds of a fork server, from its start to its end, with so many trials."""
    before = below()
    with LocalExecutor(PROGRAM, 1) as executor:
        for number in range(trials):
            trial = Trial(f"t{number}", number, {"lr": 0.01})
            executor.submit(TrialGroup(f"g{number}", Candidate(SPACE.validate({})), (trial,), OPTIONS))
        done = 0
        while done < trials:
            for result in executor.collect(60.0):
                done += 1
                assert result.outputs[0].failure is None, result.outputs[0].cause
    return below() - before


def alone() -> float:
    """CPU seconds of the same trial in a process that imports everything itself."""
    before = below()
    subprocess.run([sys.executable, "-c", ALONE], check=True)
    return below() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    few = max(1, chosen.trials // 6)
    slopes = [(served(chosen.trials) - served(few)) / (chosen.trials - few) for _ in range(chosen.repeats)]
    fork, fresh = statistics.median(slopes), statistics.median(alone() for _ in range(chosen.repeats))
    result = {
        "fork_cpu_ms": round(1000 * fork, 1),
        "fresh_process_cpu_ms": round(1000 * fresh, 1),
        "ratio": round(fresh / fork, 1),
    }
    print(json.dumps(result) if chosen.json else "\n".join(f"{key:<22} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
