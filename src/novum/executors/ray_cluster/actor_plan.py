"""What the lab asks of its driver process, once at its start: which actors, how many, and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novum.sandbox.gpus.gpu_locks import GpuPool


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """Actors for one worker program. `memory_bytes` 0: none is set aside. `gpus`: how many each trial group holds."""

    program: str
    workers: int
    sandbox: str | None
    live: str | None
    """Where trials write their latest readings; only on a cluster of the lab's own, which is on this machine."""
    paths: tuple[str, ...]
    """Folders that workers find modules in, beside their own: those of the lab that exist on their node."""
    cores: float
    memory_bytes: int
    gpus: int
    pool: GpuPool | None
    """The GPUs of this machine, handed out by locks. None on a cluster that is joined: there Ray hands them out."""


@dataclass(frozen=True, slots=True)
class ActorPlace:
    """Where a worker runs: its node's address, its process there, the strongest sandbox tier that works there."""

    node: str
    pid: int
    tier: str
