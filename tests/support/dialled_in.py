"""The remote executor with workers of its own that dial in over loopback, as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
from novum.executors.remote.credentials import LabCredentials
from novum.executors.remote.remote_executor import Door, RemoteExecutor
from novum.ledger.novum_code import code_hash


def door(directory, address="127.0.0.1:0", say=lambda _: None, code=None):
    probe = TrialGroup("probe", Candidate({"act": "echo"}), (Trial("probe.0", 1),))
    return Door(address, LabCredentials(Path(directory)), code or code_hash(), probe, say)


def worker(address, token, *, slots=1, name="m", give_up=30.0, environment=None, arguments=()):
    """A worker process; its output is read from `stdout`."""
    command = [sys.executable, "-m", "novum.cli", "worker", "--connect", address, "--slots", str(slots)]
    return subprocess.Popen(
        [*command, "--name", name, "--give-up", str(give_up), *arguments],
        env={**os.environ, "NOVUM_TOKEN": str(token), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(holds, seconds=20.0):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


def ended(process, seconds=10.0):
    """What a worker printed, and its exit status."""
    output, _ = process.communicate(timeout=seconds)
    return output, process.returncode


class DialledIn(RemoteExecutor):
    """With one worker process of `workers` slots, named after nothing but a program and that number."""

    def __init__(self, program, workers):
        self._folder = tempfile.TemporaryDirectory()
        super().__init__(program, workers, door=door(self._folder.name))
        self._wanted = workers

    def __enter__(self):
        super().__enter__()
        self.worker = worker(self.address, LabCredentials(Path(self._folder.name)).token, slots=self._wanted)
        return self

    def close(self):
        super().close()
        if self.worker.poll() is None:
            self.worker.terminate()
        self.worker.communicate()
        self._folder.cleanup()
