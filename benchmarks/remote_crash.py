"""What does a lab lose when its machines, their lines, or itself are killed? SIGKILL, SIGSTOP and cuts at random.

    python benchmarks/remote_crash.py --kills 100 --json        # about five minutes

A coin-flip campaign runs on two workers that have dialled in, each by a tunnel of its own. Kills: SIGKILL of the lab or
of a worker, after which the same command is given again; a tunnel that is cut for a second or less; SIGSTOP of a worker
for as long. After each: are all events that a reader had seen still there, with the same hashes, and does the lab go
on? The record is verified at the end: a trial that counts twice would be found there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from crash import STUDY, Victim

from novum import read_lab, verify
from novum.core.model.trial import OutcomeKind
from novum.executors.remote.credentials import LabCredentials
from novum.testing.tunnel import Tunnel

WORKERS = 2


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@dataclass
class RemoteVictim(Victim):
    """The lab, its workers, and the tunnels between them."""

    port: int = field(default_factory=free_port)
    tunnels: list[Tunnel] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """The command of a user."""
        study = self.directory.with_suffix(".toml")
        study.write_text(STUDY)
        command = [sys.executable, "-m", "novum.cli", "run", str(study), "--lab", str(self.directory), "--json"]
        self.process = subprocess.Popen(
            [*command, "--budget", "10h", "--listen", f"127.0.0.1:{self.port}", "--force"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dial(self, number: int) -> None:
        """Start a worker, in the place of one that has ended."""
        command = [sys.executable, "-m", "novum.cli", "worker", "--connect", self.tunnels[number].address]
        token = str(LabCredentials(self.directory).token)
        started = subprocess.Popen(
            [*command, "--slots", "1", "--name", f"w{number}"],
            env={**os.environ, "OMP_NUM_THREADS": "1", "NOVUM_TOKEN": token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.workers[number : number + 1] = [started]

    def end(self) -> None:
        """Nothing of it is left."""
        for one in [self.process, *self.workers]:
            if one and one.poll() is None:
                one.send_signal(signal.SIGKILL)
                one.wait()
        for tunnel in self.tunnels:
            tunnel.close()


def hurt(victim: RemoteVictim, what: str, rng: random.Random) -> float | None:
    """One kill; returns the seconds until the lab has a new event, None where it has none in a minute."""
    number = rng.randrange(WORKERS)
    assert victim.process
    if what == "lab":
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
    elif what == "worker":
        victim.workers[number].send_signal(signal.SIGKILL)
        victim.workers[number].wait()
    elif what == "tunnel":
        victim.tunnels[number].cut()
        time.sleep(rng.uniform(0.05, 1.0))
    else:
        victim.workers[number].send_signal(signal.SIGSTOP)
        time.sleep(rng.uniform(0.05, 1.0))
    before = len(victim.hashes())
    if what == "lab":
        victim.start()
    elif what == "worker":
        victim.dial(number)
    elif what == "tunnel":
        victim.tunnels[number].mend()
    else:
        victim.workers[number].send_signal(signal.SIGCONT)
    return victim.wait_for(before)


def crash(kills: int, seed: int, directory: Path) -> dict[str, object]:
    """Kill so often, and say what was seen."""
    rng, counts, restarts = random.Random(seed), Counter[str](), []
    lost = stuck = 0
    victim = RemoteVictim(directory, f"remote-crash-{os.getpid()}-{seed}")
    victim.tunnels = [Tunnel(f"127.0.0.1:{victim.port}") for _ in range(WORKERS)]
    victim.start()
    try:
        for number in range(WORKERS):
            victim.dial(number)
        if victim.wait_for(20) is None:
            raise SystemExit("the lab did not start: try `novum run coinflip --listen 127.0.0.1:7461`")
        for _ in range(kills):
            time.sleep(rng.uniform(0.0, 0.6))
            seen, what = victim.hashes(), rng.choice(("lab", "worker", "tunnel", "stop"))
            took = hurt(victim, what, rng)
            kept = victim.hashes()
            lost += sum(one != other for one, other in zip(seen, kept, strict=False)) + max(0, len(seen) - len(kept))
            stuck += took is None
            restarts += [took] if took is not None and what == "lab" else []
            counts[what] += 1
    finally:
        victim.end()
    found, state = verify(directory), read_lab(directory)
    return {
        "kills": dict(counts),
        "lost_events": lost,
        "stuck": stuck,
        "restart_median_seconds": round(statistics.median(restarts or [0.0]), 2),
        "restart_largest_seconds": round(max(restarts or [0.0]), 2),
        "record_holds": found.ok,
        "lie": found.lie or "",
        "trials": state.trials,
        "trials_lost_and_run_again": state.outcomes[OutcomeKind.LOST],
        "machines": len(state.machines.known),
    }


def main() -> None:
    """Kill and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = crash(chosen.kills, chosen.seed, Path(scratch) / "lab")
    print(json.dumps(result) if chosen.json else "\n".join(f"{key:<26} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
