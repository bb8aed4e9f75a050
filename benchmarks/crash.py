"""What does a lab lose when it is killed? SIGKILL at random instants: the lab, a server, a worker.

    python benchmarks/crash.py --kills 200 --json        # about six minutes

A coin-flip campaign runs on the local executor as a user would run it. After each kill of the lab: are all events that
a reader had seen still there, with the same hashes; is any of its processes left after one second; how long does the
same command take until its first new event? After a kill of a server or a worker the lab has to go on by itself. The
record is verified every twentieth time and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from novum import verify
from novum.ledger.journal import Reader

STUDY = """
name = "crash"
arena = "coinflip"
executor = "local"
[options]
flips = 60000
[gate]
planned = 200
"""
PATIENCE = 60.0


@dataclass
class Tally:
    """What was seen, over all kills."""

    kills: dict[str, int] = field(default_factory=lambda: {"lab": 0, "server": 0, "worker": 0})
    lost: int = 0
    invalid: int = 0
    orphans: int = 0
    stuck: int = 0
    restarts: list[float] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)


@dataclass
class Victim:
    """The lab under test: its directory, and the process that works on it."""

    directory: Path
    mark: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """The command of a user; its workers inherit the mark."""
        study = self.directory.with_suffix(".toml")
        study.write_text(STUDY)
        command = [sys.executable, "-m", "novum.cli", "run", str(study), "--lab", str(self.directory), "--json"]
        environment = {**os.environ, "PYTHON_CRASH_MARK": self.mark, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [*command, "--budget", "10h", "--workers", "2"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def hashes(self) -> list[str]:
        """Hashes of all events that a reader sees now."""
        if not (self.directory / "lab.db").exists():
            return []
        with Reader(self.directory) as reader:
            return [row[5] for row in reader.rows()]

    def wait_for(self, more_than: int) -> float | None:
        """Seconds until the ledger has more events than that; None if it takes too long."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if len(self.hashes()) > more_than:
                return time.monotonic() - began
            time.sleep(0.02)
        return None


def below(pid: int) -> list[int]:
    """Children of a process."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def marked(mark: str) -> list[int]:
    """Living processes that carry the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if mark.encode() in (entry / "environ").read_bytes() and "Z" not in (entry / "stat").read_text().split()[2]:
                found.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def kill_lab(victim: Victim, tally: Tally, *, check: bool) -> None:
    """Kill the lab, see what is left, and start it again."""
    assert victim.process
    tally.stuck += victim.process.poll() is not None  # it must not have ended by itself
    seen = victim.hashes()
    victim.process.send_signal(signal.SIGKILL)
    victim.process.wait()
    time.sleep(1.0)
    tally.orphans += len(marked(victim.mark))
    kept = victim.hashes()
    tally.lost += sum(one != other for one, other in zip(seen, kept, strict=False)) + max(0, len(seen) - len(kept))
    if check:
        found = verify(victim.directory)
        tally.invalid += not found.ok
        tally.lies += [found.lie] if found.lie else []
    before = len(kept)
    victim.start()
    took = victim.wait_for(before)
    tally.stuck += took is None
    tally.restarts += [] if took is None else [took]


def kill_below(victim: Victim, tally: Tally, rng: random.Random, *, worker: bool) -> bool:
    """Kill a server or a worker; the lab has to go on. False when there was none to kill."""
    assert victim.process
    servers = below(victim.process.pid)
    candidates = [child for server in servers for child in below(server)] if worker else servers
    if not candidates:
        return False
    try:
        os.kill(rng.choice(candidates), signal.SIGKILL)
    except ProcessLookupError:
        return False
    tally.stuck += victim.wait_for(len(victim.hashes())) is None
    return True


def crash(kills: int, seed: int, directory: Path) -> Tally:
    """Kill so often, and say what was seen."""
    rng, tally = random.Random(seed), Tally()
    victim = Victim(directory, f"crash-{os.getpid()}-{seed}")
    victim.start()
    if victim.wait_for(0) is None:
        raise SystemExit("the lab did not start: try `novum run coinflip`")
    try:
        while sum(tally.kills.values()) < kills:
            time.sleep(rng.uniform(0.0, 0.6))
            what = rng.choice(("lab", "lab", "server", "worker", "worker"))
            if what == "lab":
                kill_lab(victim, tally, check=tally.kills["lab"] % 20 == 0)
            elif not kill_below(victim, tally, rng, worker=what == "worker"):
                continue
            tally.kills[what] += 1
    finally:
        if victim.process:
            victim.process.send_signal(signal.SIGKILL)
            victim.process.wait()
    found = verify(directory)
    tally.invalid += not found.ok
    tally.lies += [found.lie] if found.lie else []
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tally = crash(chosen.kills, chosen.seed, Path(scratch) / "lab")
    result = {
        "kills": tally.kills,
        "lost_events": tally.lost,
        "invalid_ledgers": tally.invalid,
        "orphans_after_1s": tally.orphans,
        "stuck": tally.stuck,
        "restart_median_seconds": round(statistics.median(tally.restarts or [0.0]), 2),
        "restart_largest_seconds": round(max(tally.restarts or [0.0]), 2),
        "lies": tally.lies,
    }
    print(json.dumps(result) if chosen.json else "\n".join(f"{key:<26} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
