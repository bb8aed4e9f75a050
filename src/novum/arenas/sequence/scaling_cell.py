"""What the process that trains a cell of a scaling law is asked, and what it answers; nothing here imports torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from novum.core.model.candidate import Scalar
from novum.core.model.errors import UserError

TRIAL = "novum.arenas.sequence.scaling_trial"


@dataclass(frozen=True, slots=True)
class CellRequest:
    """A cell to train: a sweep of the rates on one seed, then runs at the best rate on others."""

    options: dict[str, Scalar]
    genome: dict[str, Scalar]
    width: int
    steps: int
    rates: tuple[float, ...]
    sweep_seed: int
    seeds: tuple[int, ...]
    sequences: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """One network: its loss in nats per scored position of its held-out sequences."""

    seed: int
    rate: float
    loss: float | None
    """None where it diverged."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """The best rate of the sweep, the sweep, and the runs that count."""

    rate: float
    sweep: tuple[RunResult, ...]
    runs: tuple[RunResult, ...]
    cpu_seconds: float
    """Of the process, its start included."""
    torch: str


@dataclass(frozen=True, slots=True)
class SpeedRequest:
    """Widths to measure: CPU seconds of a step of so many networks in the sweep and then so many repeats."""

    options: dict[str, Scalar]
    genome: dict[str, Scalar]
    widths: tuple[int, ...]
    sweep: int
    repeats: int


@dataclass(frozen=True, slots=True)
class SpeedResult:
    """CPU seconds of a step of sweep and repeats together at each width, and those of starting a process."""

    seconds: tuple[float, ...]
    start: float


class TrialProcesses:
    """Starts a process for each request; `stop` ends those that run."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen[str]] = set()
        self.lock = threading.Lock()
        self.stopped = False

    def cell(self, request: CellRequest) -> CellResult:
        """Train a cell. Raises UserError."""
        return TypeAdapter(CellResult).validate_python(self._answer(asdict(request)))

    def speed(self, request: SpeedRequest) -> SpeedResult:
        """Measure this machine. Raises UserError."""
        return TypeAdapter(SpeedResult).validate_python(self._answer(asdict(request)))

    def _answer(self, question: dict[str, Any]) -> Any:
        with self.lock:
            if self.stopped:
                raise UserError("stopped before this cell began")
            # A session of its own: Ctrl-C reaches the parent alone, which then ends its children in order.
            process = subprocess.Popen(
                [sys.executable, "-m", TRIAL],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            self.running.add(process)
        try:
            out, err = process.communicate(json.dumps(question))
        finally:
            with self.lock:
                self.running.discard(process)
        if process.returncode:
            last = (err.strip().splitlines() or [f"it ended with status {process.returncode}, without a word"])[-1]
            raise UserError(f"training at width {question.get('width', '-')} failed: {last}")
        return json.loads(out)

    def stop(self) -> None:
        """End what runs; nothing more is started."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()
