"""How trials that run at this moment are doing, in one small file each: shown, never recorded and never judged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "NOVUM_LIVE"
"""The variable of a worker's environment that names the directory."""
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
    """The directory of a lab, empty: what an earlier session left says nothing of this one."""
    directory = lab / DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    for left in directory.iterdir():
        with suppress(OSError):
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
        with suppress(OSError, ValueError):
            cpu_seconds, value = path.open().read(_MOST_BYTES).split()
            yield LiveReading(path.name, float(cpu_seconds), float(value))


def _path(trial: str) -> Path | None:
    directory = os.environ.get(VARIABLE, "")
    return Path(directory, trial) if directory and trial.replace(".", "").isalnum() else None
