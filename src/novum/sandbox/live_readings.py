"""How trials that run at this moment are doing, in one small file each: shown, never recorded and never judged.

Beside these lie the checkpoints that unfinished trials go on from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from novum.sandbox.checkpoints.checkpoint_files import SUFFIX, VARIABLE, waits

DIRECTORY = "live"
"""Its name in a lab."""
_MOST_BYTES = 200


@dataclass(frozen=True, slots=True)
class LiveReading:
    """The latest reading of a running trial, and the CPU seconds that it had used by then."""

    trial: str
    cpu_seconds: float
    value: float


def prepared(lab: Path) -> Path:
    """The directory of a lab, with nothing in it but checkpoints: other things say nothing of this session."""
    directory = lab / DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    for left in directory.iterdir():
        with suppress(OSError):
            if not waits(left):
                left.unlink()
    return directory


def publish(trial: str, cpu_seconds: float, value: float) -> None:
    """Say how a trial is doing, where somebody may look. It never fails: nothing rests on it."""
    if (path := _path(trial)) is not None:
        with suppress(OSError):
            path.write_text(f"{cpu_seconds:.3f} {value!r}\n")


def withdraw(trial: str) -> None:
    """The trial has ended."""
    if (path := _path(trial)) is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def read(lab: Path) -> Mapping[str, LiveReading]:
    """The readings of a lab's running trials, by trial; what cannot be read is left out."""
    return {one.trial: one for one in _readings(lab / DIRECTORY)}


def _readings(directory: Path) -> Iterator[LiveReading]:
    try:
        paths = sorted(directory.iterdir())
    except OSError:
        return
    for path in paths:
        if path.suffix == SUFFIX:
            continue
        with suppress(OSError, ValueError):
            with path.open() as file:
                cpu_seconds, value = file.read(_MOST_BYTES).split()
            yield LiveReading(path.name, float(cpu_seconds), float(value))


def _path(trial: str) -> Path | None:
    directory = os.environ.get(VARIABLE, "")
    return Path(directory, trial) if directory and trial.replace(".", "").isalnum() else None
