"""How many GPUs a script is given: what the user says, else one for a script that names cuda where a GPU is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from novum.adopt.project import Project
from novum.core.model.errors import StudyError
from novum.core.model.hardware import Gpu
from novum.sandbox.gpus.found_gpus import gpus_here, why_too_few
from novum.sandbox.gpus.gpu_locks import GpuPool

_CUDA = re.compile(r"(?<![A-Za-z])cuda(?![A-Za-z])")
WAIT_SECONDS = 0.2
"""Between two looks at GPUs that others hold."""


@dataclass(frozen=True)
class ScriptGpus:
    """How many a trial holds; why that was guessed, empty where the user said it or there was nothing to guess."""

    count: int = 0
    why: str = ""


def script_gpus(project: Project, wanted: int | None) -> ScriptGpus:
    """The GPUs for a script. Raises StudyError where the user wants more than there are."""
    if wanted is not None:
        if reason := why_too_few(wanted) if wanted else "":
            raise StudyError(f"--gpus {wanted}: {reason}")
        return ScriptGpus(wanted)
    if not any(_CUDA.search(text) for path, text in project.texts.items() if path.endswith(".py")):
        return ScriptGpus()
    if why_too_few(1):
        return ScriptGpus(0, "the script names cuda, and no GPU can be had here; 1 where there is one")
    return ScriptGpus(1, "the script names cuda, and a GPU is here; 0 for a script that does without")


def trials_at_once(gpus: int, cores: int) -> int:
    """How many trials run at once where each holds so many GPUs."""
    return min(cores, max(1, len(gpus_here().gpus) // gpus)) if gpus else cores


@contextmanager
def held_gpus(count: int) -> Iterator[tuple[Gpu, ...]]:
    """So many GPUs, held by nobody else, as soon as they are free."""
    if not count:
        yield ()
        return
    pool = GpuPool(gpus_here().gpus, count)
    while (lease := pool.take()) is None:
        time.sleep(WAIT_SECONDS)
    try:
        yield lease.gpus
    finally:
        lease.release()
