"""A GPU of this machine, as trial groups hold it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SPINNING = 4
"""CPU seconds for a wall second that a trial with GPUs may take: several threads may spin while they wait for these."""


class GpuKind(StrEnum):
    """Whose driver it takes: NVIDIA's, AMD's (ROCm), or Windows' by way of WSL."""

    NVIDIA = "nvidia"
    AMD = "amd"
    WSL = "wsl"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or one MIG slice of one. `id`: its UUID, else its PCI address or device; its lock has this name."""

    id: str
    name: str
    kind: GpuKind
    devices: tuple[str, ...]
    """Its own device nodes; those of the driver that all GPUs share are not among them."""
    bus: str = ""
    """PCI address such as 0000:65:00.0, where it is known."""
    visible: str = ""
    """What selects it in CUDA_VISIBLE_DEVICES; empty: its place among the GPUs that are shown."""
