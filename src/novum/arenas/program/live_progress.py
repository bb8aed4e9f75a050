"""The progress of a run while it runs: the numbers that it prints, by compute, and whether it goes on."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence

from novum.arenas.program.printed_score import as_number
from novum.core.model.run_progress import POINTS, Curve, Look
from novum.core.model.trial import OutcomeKind
from novum.sandbox import live_readings
from novum.sandbox.job import Verdict
from novum.text.format import thinned

_LONGEST_LINE = 4_000
MOST_READINGS = 4_096


class LiveProgress:
    """Hears what a program prints, and is asked at short intervals whether to end it.

    pattern: a regular expression with one group, around the number, searched line by line; empty: nothing is read.
    trial: under whose name people may see the latest reading. gpus: how many it holds; its time is then of wall.
    readings: of an earlier start that this one goes on from, after so many CPU and wall seconds (`used`).
    """

    def __init__(
        self,
        pattern: str,
        looks: Sequence[Look] = (),
        trial: str = "",
        gpus: int = 0,
        readings: Sequence[tuple[float, float]] = (),
        used: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self._pattern = re.compile(pattern) if pattern else None
        self._looks = list(looks)
        self._line = b""
        self._new: list[float] = []
        self._readings = list(readings)
        self._before = used[0]
        self._now = 0.0
        self._trial, self._gpus = trial, gpus
        self._began = time.monotonic() - used[1]
        self._seen = self._told = 0

    def hear(self, printed: bytes) -> None:
        """Take what was printed. Lines that are very long are left out."""
        if self._pattern is None:
            return
        *lines, self._line = (self._line + printed).split(b"\n")
        self._line = self._line[-_LONGEST_LINE:]
        for line in lines:
            self._read(line)

    def judge(self, cpu_seconds: float) -> Verdict | None:
        """Why the run is ended now, None for one that goes on. cpu_seconds: of this phase so far."""
        self._stamp(cpu_seconds)
        self._publish()
        while self._looks and self._looks[0].is_due(self._readings):
            look = self._looks.pop(0)
            reading = look.ends(self._readings)
            if reading is not None:
                cause = f"its progress after {look.seconds:.3g} s of compute was {reading:.4g}, "
                cause += (
                    f"and runs {'above' if look.above else 'below'} {look.bound:.4g} there are not run to their end"
                )
                return Verdict(OutcomeKind.STOPPED, cause)
        return None

    def end_phase(self, cpu_seconds: float) -> None:
        """The phase has ended after so many CPU seconds; times of the next one count from there."""
        self._read(self._line)
        self._line = b""
        self._stamp(cpu_seconds)
        self._before += cpu_seconds

    @property
    def readings(self) -> tuple[tuple[float, float], ...]:
        """All that are held, not thinned."""
        return tuple(self._readings)

    @property
    def curve(self) -> Curve:
        """The readings so far."""
        return tuple(thinned(self._readings, POINTS))

    def _publish(self) -> None:
        """Let people see the latest reading, if there is a new one."""
        if self._trial and self._seen > self._told:
            self._told = self._seen
            live_readings.publish(self._trial, *self._readings[-1])

    def _read(self, line: bytes) -> None:
        if self._pattern is None or len(line) > _LONGEST_LINE:
            return
        found = (as_number(one) for one in self._pattern.findall(line.decode(errors="replace")))
        self._new += [one for one in found if isinstance(one, float) and math.isfinite(one)]

    def _stamp(self, cpu_seconds: float) -> None:
        """Readings since the last time were printed about now; times never run backwards."""
        spent = self._gpus * (time.monotonic() - self._began) if self._gpus else self._before + cpu_seconds
        self._now = max(self._now, spent)
        self._readings += [(round(self._now, 3), value) for value in self._new]
        self._seen += len(self._new)
        self._new.clear()
        if len(self._readings) > MOST_READINGS:
            self._readings = self._readings[::2]
