"""Hardware that trials run on: machines and which of them are alike, and GPUs as trial groups hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from novum.text.canonical_json import digest

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


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it was when it joined. slots: groups at once. isolation: what stands between a trial and it."""

    id: str
    """Its host name and a few random characters, new with each start of its worker."""
    slots: int
    system: str = ""
    processor: str = ""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of what the arena's trials import."""
    isolation: str = ""
    probe: str = ""
    """SHA-256 of what it made of the lab's probe, a trial that every machine runs; empty where two runs differed."""
    probe_seconds: float = 0.0
    """CPU seconds that it took for that."""

    @property
    def kind(self) -> str:
        """The same for machines whose results may be compared: equal processor, libraries, isolation and probe."""
        return digest([self.system, self.processor, self.python, dict(self.packages), self.isolation, self.probe])[:12]


@dataclass(frozen=True, slots=True)
class Recheck:
    """A group that was run again on another machine of the same kind. machine: the one whose outcome is recorded."""

    group: str
    machine: str
    by: str
    same: bool
    """Whether the artefacts are equal, byte for byte."""
    cpu_seconds: float
    blamed: str = ""
    """The machine whose outputs two other runs agree against; empty where there is none."""
