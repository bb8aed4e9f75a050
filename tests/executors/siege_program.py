"""A worker program whose trials are the attacks of tests/sandbox, tried from a child of the fork server."""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sandbox"))

import attacks

from novum.core.model.trial import TrialOutput


def run(group):
    """Run the attacks that `only` names, or do what `act` says."""
    genes = group.candidate.genome
    if genes.get("act") == "hide":
        _hide(str(genes["mark"]))
    if genes.get("act") == "burn":
        _burn()
        return [TrialOutput(trial.id, b"{}") for trial in group.trials]
    if genes.get("act") == "forge":
        os.write(3, bytes.fromhex(str(genes["hex"])))
        os._exit(0)
    targets = json.loads(str(genes["targets"]))
    worked = attacks.attack_all(targets, targets["only"])
    return [TrialOutput(trial.id, json.dumps(worked).encode()) for trial in group.trials]


def _burn():
    """Half a second of CPU time in short-lived children that nobody waits for."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in range(16):
        if os.fork() == 0:
            until = time.process_time() + 0.03
            while time.process_time() < until:
                pass
            os._exit(0)
        with suppress(ChildProcessError):
            os.wait()


def _hide(mark):
    """Four daemons that nothing here waits for; exec gives each an environment with the mark."""
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.execve("/bin/sleep", ["sleep", "60"], {"MARK": mark})
    time.sleep(60)
