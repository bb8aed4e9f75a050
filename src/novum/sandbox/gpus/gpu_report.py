"""What `novum doctor` says: the sandbox and the GPUs here, and what a GPU in the sandbox opens to candidates."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from novum.core.model.hardware import Gpu, GpuKind
from novum.sandbox.gpus.found_gpus import FoundGpus, gpus_here, why_closed
from novum.sandbox.job import Tier
from novum.sandbox.probe import SandboxStatus, sandbox_status

_OPENS = (
    "the kernel driver's ioctl interface: its bugs are within reach of candidates, as the kernel's own are",
    "the memory of the GPU: that it is cleared between programs is the driver's promise",
    "names, load and addresses of all GPUs of the machine, which the driver tells whoever asks",
    "memory pinned for a GPU and shared without a file; address space is not bounded, memory is counted resident",
)
_OPENS_AT_LANDLOCK = "a Unix socket of its own that nobody can connect to; its name is seen by trials beside it"
_CLOSED = (
    "files, the network and other processes, as without GPUs",
    "the device nodes of GPUs that the trial does not hold (a MIG slice comes with the node of its whole GPU)",
    "GPUs for prepare and score, which see none",
)


@dataclass(frozen=True, slots=True)
class GpuLine:
    """A GPU: its name in CUDA_VISIBLE_DEVICES or its address, its model, whose driver it takes, its device nodes."""

    id: str
    name: str
    kind: GpuKind
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GpuReport:
    """GPUs that programs of a study can hold (`program.gpus`).

    driver: its version. trials: how many trials with a GPU each run at once. opens, closed: what passing a GPU into the
    sandbox opens to candidates, and what stays closed. notes: GPUs that were left out, and why.
    """

    gpus: tuple[GpuLine, ...]
    driver: str
    trials: int
    opens: tuple[str, ...]
    closed: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoctorReport(SandboxStatus):
    """The best tier that works here, with what, what it leaves open, and what would make it better; and the GPUs.

    `limits`: how memory, processes and CPU time are counted here, and what that misses.
    """

    gpus: GpuReport = field(default_factory=lambda: GpuReport((), "", 0, (), (), ()))

    def as_data(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**asdict(self), "tier": str(self.tier)}


def doctor_report() -> DoctorReport:
    """Look at this machine."""
    found = sandbox_status()
    gpus = gpu_report(gpus_here(), found.tier)
    return DoctorReport(found.tier, found.tool, found.gaps, found.advice, found.limits, gpus)


def gpu_report(found: FoundGpus, tier: Tier) -> GpuReport:
    """The report on these GPUs where sandboxes are of this tier."""
    closed = why_closed(found.gpus)
    return GpuReport(
        gpus=tuple(map(_line, found.gpus)),
        driver=found.driver,
        trials=0 if closed else len(found.gpus),
        opens=(*_OPENS, *((_OPENS_AT_LANDLOCK,) if tier is Tier.LANDLOCK else ())) if found.gpus else (),
        closed=_CLOSED if found.gpus else (),
        notes=(*found.notes, *((closed,) if closed else ())),
    )


def _line(gpu: Gpu) -> GpuLine:
    return GpuLine(gpu.visible or gpu.bus or gpu.id, gpu.name, gpu.kind, gpu.devices)


def report_lines(report: GpuReport) -> list[tuple[str, str]]:
    """The report for a terminal, by lines: a word, and what it says."""
    noted = [("note", words) for words in report.notes]
    if not report.gpus:
        return [("gpu", "none to hand out: a study with program.gpus cannot run here"), *noted]
    return [
        *(("gpu", f"{one.name} ({one.id}, {', '.join(one.devices)})") for one in report.gpus),
        ("driver", report.driver or "of an unknown version"),
        ("trials", f"at most {report.trials} at once that hold a GPU, each one alone; further ones take turns"),
        (
            "passing",
            "a GPU into the sandbox opens the kernel driver and the GPU's memory to candidates, as follows",
        ),
        *(("opens", words) for words in report.opens),
        *(("closed", words) for words in report.closed),
        *noted,
    ]
