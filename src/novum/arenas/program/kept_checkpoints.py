"""The checkpoint that a trial has written so far, kept where a later start of the same trial finds it.

Only the candidate that wrote it ever reads what is in it, behind the walls, at the same seed: here it is bytes. A file
that was cut short, or is none of these, counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from novum.arenas.program.bundle import Bundle
from novum.arenas.program.live_progress import MOST_READINGS
from novum.core.model.trial import Trial, TrialGroup
from novum.sandbox.checkpoints.checkpoint_files import checkpoint_path
from novum.text.bounded_json import load_json
from novum.text.canonical_json import digest

_MOST_BYTES = 1 << 30
_MOST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class TrialCheckpoint:
    """The bytes of a checkpoint, what the trial had used when it was there, and its readings of progress by then.

    Seconds of CPU and of wall time, over all starts of the trial; readings as in a curve, not thinned.
    """

    content: bytes
    cpu_seconds: float
    wall_seconds: float
    readings: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """Where the checkpoint of one trial is kept. It never fails: a trial without one starts from its beginning."""

    path: Path | None

    @classmethod
    def of(cls, bundle: Bundle, group: TrialGroup, trial: Trial) -> KeptCheckpoint:
        """Of this candidate at this seed, and of no other; nowhere for a program that writes none."""
        if not bundle.program.checkpoint:
            return cls(None)
        what = [bundle.digest, group.candidate.digest, trial.seed, dict(trial.setting), group.fidelity]
        return cls(checkpoint_path(digest(what)))

    def load(self) -> TrialCheckpoint | None:
        """The checkpoint; None where there is none."""
        if self.path is None:
            return None
        try:
            with self.path.open("rb") as file:
                header, content = file.readline(_MOST_HEADER), file.read(_MOST_BYTES)
            said = load_json(header)
            cpu, wall = float(said["cpu_seconds"]), float(said["wall_seconds"])
            readings = tuple((float(at), float(value)) for at, value in said["readings"])
            whole = said["sha256"] == hashlib.sha256(content).hexdigest()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return TrialCheckpoint(content, cpu, wall, readings) if whole and _is_time(cpu) and _is_time(wall) else None

    def save(self, one: TrialCheckpoint) -> None:
        """Put a checkpoint in the place of an older one, at once: whoever looks finds the one or the other, whole."""
        if self.path is None:
            return
        header = {
            "cpu_seconds": one.cpu_seconds,
            "wall_seconds": one.wall_seconds,
            "readings": one.readings[-MOST_READINGS:],
            "sha256": hashlib.sha256(one.content).hexdigest(),
        }
        unfinished = self.path.with_suffix(f".{os.getpid()}")  # what is left of a kill goes with the next session
        with suppress(OSError):
            try:
                fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(json.dumps(header).encode() + b"\n")
                    file.write(one.content)
                unfinished.replace(self.path)
            except OSError:
                unfinished.unlink(missing_ok=True)

    def drop(self) -> None:
        """The trial has ended, or its checkpoint is of no use."""
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def _is_time(seconds: float) -> bool:
    return math.isfinite(seconds) and seconds >= 0.0
