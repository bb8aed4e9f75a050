"""What does a trial that does nothing cost elsewhere? Groups of eight on a machine that dials in, and on Ray.

    python benchmarks/remote_overhead.py --json

CPU time of everything below this process, Ray's daemons and all, per trial, once workers are warm: the median of
several rounds. `ray calls` is the floor: one bare actor call for each group of eight, which returns its bytes.
Ray Tune runs each trial by itself, as it does; `ray tune` lets it use its actors again, which is its cheaper way. All
of them use one worker, those of Ray on a cluster with the same settings; `novum remote` is a worker process that has
dialled in over loopback. Without Ray its rows are null; without `ray[tune]`, that of Ray Tune.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
os.environ["OMP_NUM_THREADS"] = "1"

from novum.core.model.candidate import Candidate  # noqa: E402
from novum.core.model.trial import Trial, TrialGroup  # noqa: E402
from novum.executors.local.executor import LocalExecutor  # noqa: E402
from novum.executors.ray_cluster.actor_plan import ActorPlan  # noqa: E402
from novum.executors.ray_cluster.cluster_start import connect, driver_environment, write_token  # noqa: E402
from novum.executors.ray_cluster.ray_executor import RayExecutor  # noqa: E402
from novum.executors.remote.credentials import LabCredentials  # noqa: E402
from novum.executors.remote.remote_executor import Door, RemoteExecutor  # noqa: E402
from novum.ledger.novum_code import code_hash  # noqa: E402
from novum.sandbox.process_tree import cpu_seconds, descendants  # noqa: E402

GROUP = 8
WARM = 5
Row = Mapping[str, float]


class Meter:
    """CPU seconds of this process and of all below it, those that have ended included.

    Fork servers wait for their children, whose time is then theirs. Ray's node daemon does not wait for its workers:
    of those that end counts what they had used when they were last looked at. Looking itself does not count.
    """

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}
        self._ended = 0.0
        self._looking = 0.0
        self._lock = threading.Lock()

    def read(self) -> float:
        with self._lock:
            began = time.thread_time()
            now = {pid: cpu_seconds([pid]) for pid in descendants(os.getpid())}
            self._ended += sum(used for pid, used in self._seen.items() if pid not in now)
            self._seen = now
            self._looking += time.thread_time() - began
            return time.process_time() - self._looking + self._ended + sum(now.values())

    def follow(self) -> None:
        """Look twenty times a second from now on; only where no fork server is below."""

        def look() -> None:
            while True:
                self.read()
                time.sleep(0.05)

        threading.Thread(target=look, daemon=True).start()


METER = Meter()


def rounds(run: Callable[[int], None], trials: int, repeats: int) -> Row:
    """Run so many trials, several times; medians for one trial, and the range of its CPU time."""
    cpu, wall = [], []
    for _ in range(repeats):
        before, began = METER.read(), time.monotonic()
        run(trials)
        cpu.append(1000 * (METER.read() - before) / trials)
        wall.append(1000 * (time.monotonic() - began) / trials)
    return {
        "cpu_ms_per_trial": round(statistics.median(cpu), 3),
        "cpu_least": round(min(cpu), 3),
        "cpu_most": round(max(cpu), 3),
        "wall_ms_per_trial": round(statistics.median(wall), 3),
    }


@contextmanager
def dialled_in() -> Iterator[RemoteExecutor]:
    """The remote executor with one worker on this machine, which has joined."""
    with tempfile.TemporaryDirectory(prefix="novum-remote-") as place:
        lab = LabCredentials(Path(place))
        probe = TrialGroup("probe", Candidate({"a": 1}), (Trial("probe.0", 1),))
        with RemoteExecutor("noop_trial", 1, door=Door("127.0.0.1:0", lab, code_hash(), probe)) as executor:
            command = [sys.executable, "-m", "novum.cli", "worker", "--connect", executor.address, "--slots", "1"]
            environment = {**os.environ, "NOVUM_TOKEN": str(lab.token)}
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as worker:
                while not executor.machines and worker.poll() is None:
                    time.sleep(0.05)
                yield executor
                executor.close()


def on(executor: LocalExecutor | RayExecutor | RemoteExecutor, trials: int, repeats: int) -> Row:
    """Novum's executor, open, as a lab uses it: as many groups in flight as it has slots."""

    def run(count: int) -> None:
        sent = done = 0
        while done < count // GROUP:
            while sent < count // GROUP and sent - done < executor.slots:
                members = tuple(Trial(f"{sent}/{seed}", seed) for seed in range(GROUP))
                executor.submit(TrialGroup(str(sent), Candidate({"a": 1}), members))
                sent += 1
            for result in executor.collect(60.0):
                assert all(one.failure is None for one in result.outputs), result.outputs[0].cause
                done += 1

    run(WARM * GROUP)
    return rounds(run, trials, repeats)


def bare_calls(trials: int, repeats: int) -> Row:
    """One call of a warm actor for each group."""
    import ray

    class Echo:
        def run(self, packed: bytes) -> bytes:
            return packed

    actor = ray.remote(num_cpus=1)(Echo).remote()

    def run(count: int) -> None:
        waiting = []
        for _ in range(count // GROUP):
            waiting.append(actor.run.remote(bytes(1000)))
            if len(waiting) > 1:
                ray.get(waiting.pop(0))
        ray.get(waiting)

    run(WARM * GROUP)
    row = rounds(run, trials, repeats)
    ray.kill(actor)
    return row


def tune(trials: int, repeats: int) -> Row | None:
    """Ray Tune on the same trial: three numbers in, one score out."""
    try:
        from ray.tune import RunConfig, TuneConfig, Tuner, randint
    except ImportError:
        return None
    place = tempfile.mkdtemp(dir=os.environ["NOVUM_BENCHMARK_PLACE"])

    def trial(config: Mapping[str, int]) -> Mapping[str, float]:
        return {"score": sum(config.values()) / 120}

    def run(count: int) -> None:
        settings = TuneConfig(metric="score", mode="max", num_samples=count, reuse_actors=True, max_concurrent_trials=1)
        space = {name: randint(0, 40) for name in "abc"}
        found = Tuner(
            trial, param_space=space, tune_config=settings, run_config=RunConfig(storage_path=place, verbose=0)
        ).fit()
        assert len(found) == count and not found.errors

    run(2)
    return rounds(run, trials, repeats)


def others(trials: int, tuned: int, repeats: int) -> dict[str, Row | None]:
    """What Ray itself does, in a process with a cluster like that of the executor; its environment is set already."""
    own = Path(os.environ["NOVUM_BENCHMARK_PLACE"])
    METER.follow()
    connect(ActorPlan("noop_trial", 1, None, None, (), 1.0, 0, 0, None), "", own)
    return {"ray calls": bare_calls(trials, repeats), "ray tune": tune(tuned, repeats)}


def apart(trials: int, tuned: int, repeats: int) -> dict[str, Row | None]:
    """`others` in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="novum-ray-", ignore_cleanup_errors=True) as place:
        write_token(Path(place))
        quiet = {"RAY_AIR_NEW_OUTPUT": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "NOVUM_BENCHMARK_PLACE": place}
        words = ["--others", "--trials", str(trials), "--tuned", str(tuned), "--repeats", str(repeats)]
        done = subprocess.run(
            [sys.executable, __file__, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**driver_environment(os.environ, "benchmark", "", Path(place)), **quiet},
        )
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])


def measured(trials: int, tuned: int, repeats: int) -> dict[str, Row | None]:
    """All rows; null for what is not installed."""
    with LocalExecutor("noop_trial", 1) as executor:
        rows: dict[str, Row | None] = {"novum local": on(executor, trials, repeats)}
    with dialled_in() as remote:
        rows["novum remote"] = on(remote, trials, repeats)
    if find_spec("ray") is None:
        return {**rows, "novum ray": None, "ray calls": None, "ray tune": None}
    with RayExecutor("noop_trial", 1, address="") as executor:
        rows["novum ray"] = on(executor, trials, repeats)
    return {**rows, **apart(trials, tuned, repeats)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2400, help="no-op trials of each round, in groups of eight")
    parser.add_argument("--tuned", type=int, default=100, help="trials of each round of Ray Tune")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--others", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    sizes = chosen.trials, chosen.tuned, chosen.repeats
    if chosen.others:
        print(json.dumps(others(*sizes)), flush=True)
        return
    rows = measured(*sizes)
    if chosen.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        print(f"{name:<13}" + ("not installed" if row is None else "  ".join(f"{k} {v}" for k, v in row.items())))


if __name__ == "__main__":
    main()
