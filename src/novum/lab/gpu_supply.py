"""The GPUs of this machine for a study that asks for some: whether there are any, and how many trials run at once.

A group holds its GPUs alone while it runs, so no more workers are started than groups can hold GPUs.
"""

from __future__ import annotations

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.errors import StudyError
from novum.sandbox.gpus.found_gpus import gpus_here, why_too_few
from novum.sandbox.gpus.gpu_locks import GpuPool


def check_gpus(spec: ArenaSpec) -> None:
    """Raise StudyError, which says what to do, where a study asks for GPUs that are not here or cannot be opened."""
    if reason := why_too_few(spec.gpus) if spec.gpus else "":
        if spec.name == "program":
            raise StudyError(f"program.gpus: {reason}; or set gpus = 0, for a program that does without")
        raise StudyError(f"the arena {spec.name!r}: {reason}")


def gpu_pool(spec: ArenaSpec) -> GpuPool | None:
    """The GPUs to hand out; None for a study that asks for none. Raises StudyError, UserError."""
    check_gpus(spec)
    return GpuPool(gpus_here().gpus, spec.gpus) if spec.gpus else None


def workers_for(spec: ArenaSpec, wanted: int) -> int:
    """How many of the workers that are wanted can hold GPUs at once; all of them for a study without."""
    return min(wanted, max(1, len(gpus_here().gpus) // spec.gpus)) if spec.gpus else wanted


def supply_words(spec: ArenaSpec, wanted: int) -> list[str]:
    """What a person should know at the start of a run with GPUs."""
    if not spec.gpus:
        return []
    gpus = gpus_here().gpus
    count = workers_for(spec, wanted)
    names = ", ".join(sorted({gpu.name for gpu in gpus}))
    words = f"GPUs: {len(gpus)} ({names}), {spec.gpus} to each trial group, which holds them alone; compute is GPU time"
    fewer = f"; {count} of {wanted} workers, as there are no GPUs for more: groups take turns" if count < wanted else ""
    return [words + fewer]
