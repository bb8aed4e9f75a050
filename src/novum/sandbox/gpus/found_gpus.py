"""Which GPUs this machine has, without their libraries: read from /proc, /dev and /sys, and what nvidia-smi adds.

nvidia-smi is asked only for what the kernel's files do not tell: the UUIDs of MIG slices, those of GPUs that the driver
has not initialised, and GPUs behind WSL. It has ten seconds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from novum.core.model.hardware import Gpu, GpuKind
from novum.sandbox.gpus.gpu_access import ROOT, answer_of
from novum.sandbox.visible.visible_paths import drops_user

_VERSION = re.compile(r"\b\d{3,4}\.\d+(?:\.\d+)*\b")
_UUID = re.compile(r"GPU-[0-9a-f-]{36}$")
_NODE = re.compile(r"nvidia(\d+)$")
_SMI_GPU = re.compile(r"^GPU (\d+): (.+?) \(UUID: (GPU-[^)]+)\)", re.M)
_SMI_MIG = re.compile(r"^\s+(MIG \S+).*\(UUID: (MIG-[^)]+)\)")
_NVIDIA, _AMD = ("CUDA_VISIBLE_DEVICES",), ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")

Ask = Callable[[], str]


@dataclass(frozen=True, slots=True)
class FoundGpus:
    """The GPUs that may be handed out, by PCI address; the driver's version; in words, what was left out and why."""

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    notes: tuple[str, ...] = ()


@cache
def gpus_here() -> FoundGpus:
    """The GPUs of this machine, looked for once in each process."""
    return find_gpus()


def find_gpus(root: Path = ROOT, outer: Mapping[str, str] = os.environ, ask: Ask | None = None) -> FoundGpus:
    """The GPUs below `root`, in the order of their PCI addresses, of which `outer` may allow some only.

    outer: CUDA_VISIBLE_DEVICES (numbers in this order, UUIDs, MIG slices), ROCR_ or HIP_VISIBLE_DEVICES. ask: what
    `nvidia-smi -L` says.
    """
    ask = ask or _nvidia_smi
    found, driver, notes = _nvidia(root, ask)
    if found:
        return _allowed(found, driver, notes, next((outer[name] for name in _NVIDIA if name in outer), None), ask)
    if (root / "dev/dxg").exists():
        return _allowed(_wsl(root, ask), "WSL", [], outer.get("CUDA_VISIBLE_DEVICES"), ask)
    if found := _amd(root):
        version = _text(root / "sys/module/amdgpu/version") or "amdgpu, of the kernel"
        given = next((outer[name] for name in _AMD if name in outer), None)
        return _allowed(found, version, notes, given, ask)
    return FoundGpus((), driver, tuple(notes))


def why_too_few(wanted: int) -> str:
    """Why a trial cannot hold `wanted` GPUs here, and what to do; empty when it can."""
    found = gpus_here()
    if len(found.gpus) < wanted:
        noted = f" ({'; '.join(found.notes)})" if found.notes else ""
        return (
            f"a trial holds {wanted} GPU{'s' if wanted > 1 else ''}, and this machine has {len(found.gpus) or 'none'} "
            f"to hand out{noted}: run it where there are enough, see `novum doctor`"
        )
    return why_closed(found.gpus)


def why_closed(gpus: Sequence[Gpu]) -> str:
    """Why candidates could not open the devices of `gpus`, and what to do; empty when they can."""
    for node in (node for gpu in gpus for node in gpu.devices):
        try:
            mode = Path(node).stat().st_mode
        except OSError as error:
            return f"{node}: {error.strerror}"
        if drops_user() and mode & 0o006 != 0o006:
            return (
                f"candidates of root run as another user, who cannot open {node} (mode {mode & 0o777:o}): run Novum as "
                f"a user of its group, or let everybody open it (chmod 0666 {node})"
            )
        if not os.access(node, os.R_OK | os.W_OK):
            return f"this user cannot open {node} (mode {mode & 0o777:o}): add it to the group that owns it"
    return ""


def _nvidia(root: Path, ask: Ask) -> tuple[list[Gpu], str, list[str]]:
    stated = _text(root / "proc/driver/nvidia/version")
    version = _VERSION.search(stated.partition("\n")[0])
    found, notes, taken = list[Gpu](), list[str](), set[str]()
    for folder in sorted((root / "proc/driver/nvidia/gpus").glob("*")):
        told = _fields(_text(folder / "information"))
        node = root / f"dev/nvidia{told.get('Device Minor', '?')}"
        name, uuid = told.get("Model", "NVIDIA GPU"), told.get("GPU UUID", "")
        if told.get("GPU Excluded", "No") != "No" or not node.exists():
            notes.append(f"{name} at {folder.name} is left out: {_reason(told, node)}")
            continue
        uuid = uuid if _UUID.match(uuid) else ""
        taken.add(node.name)
        found.append(Gpu(uuid or folder.name, name, GpuKind.NVIDIA, (str(node),), folder.name, uuid))
    nodes = sorted((int(match[1]), one) for one in (root / "dev").glob("nvidia*") if (match := _NODE.match(one.name)))
    for number, node in nodes:  # in containers the tables may be missing
        if node.name not in taken and not (root / "proc/driver/nvidia/gpus").is_dir():
            found.append(Gpu(node.name, f"NVIDIA GPU {number}", GpuKind.NVIDIA, (str(node),)))
    if any(not gpu.visible for gpu in found):
        listed = _SMI_GPU.findall(ask())
        if len(listed) == len(found):  # in the same order, that of PCI addresses
            found = [
                replace(gpu, id=uuid, name=name, visible=uuid)
                for gpu, (_, name, uuid) in zip(found, listed, strict=True)
            ]
    return found, version[0] if version else "", notes


def _reason(told: Mapping[str, str], node: Path) -> str:
    return f"there is no {node}" if told.get("GPU Excluded", "No") == "No" else "the driver excludes it"


def _wsl(root: Path, ask: Ask) -> list[Gpu]:
    node = (str(root / "dev/dxg"),)
    listed = _SMI_GPU.findall(ask())
    return [Gpu(uuid, name, GpuKind.WSL, node, visible=uuid) for _, name, uuid in listed] or [
        Gpu("dxg", "GPU of Windows", GpuKind.WSL, node)
    ]


def _amd(root: Path) -> list[Gpu]:
    found = []
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("*")
    for folder in sorted(nodes, key=lambda one: (len(one.name), one.name)):
        told = dict(line.split(" ", 1) for line in _text(folder / "properties").splitlines() if " " in line)
        minor, place = told.get("drm_render_minor", "0").strip(), int(told.get("location_id", "0") or 0)
        node = root / f"dev/dri/renderD{minor}"
        if _text(folder / "gpu_id").strip() in ("", "0") or minor == "0" or not node.exists():
            continue
        bus = f"{int(told.get('domain', '0') or 0):04x}:{place >> 8:02x}:{place >> 3 & 31:02x}.{place & 7}"
        found.append(Gpu(node.name, _text(folder / "name").strip() or "AMD GPU", GpuKind.AMD, (str(node),), bus))
    return found if (root / "dev/kfd").exists() else []


def _allowed(found: Sequence[Gpu], driver: str, notes: Sequence[str], wanted: str | None, ask: Ask) -> FoundGpus:
    """What the user's variable leaves of them, by the rules of CUDA: nothing from the first unknown entry on."""
    if wanted is None:
        return FoundGpus(tuple(found), driver, tuple(notes))
    kept, said = list[Gpu](), [*notes]
    for entry in (one.strip() for one in wanted.split(",")):
        one = _named(entry, found, ask)
        if one is None:
            if entry not in ("", "-1"):
                said.append(f"the user's list of visible devices ends at {entry!r}, which is no GPU here")
            break
        if one not in kept:
            kept.append(one)
    said.append(f"the user's list of visible devices, {wanted!r}, leaves {len(kept)} of {len(found)}")
    return FoundGpus(tuple(kept), driver, tuple(said))


def _named(entry: str, found: Sequence[Gpu], ask: Ask) -> Gpu | None:
    if entry.isdecimal():
        return found[int(entry)] if int(entry) < len(found) else None
    if entry.startswith("MIG-"):
        return _slice(entry, found, ask)
    fitting = [gpu for gpu in found if entry and gpu.visible.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None


def _slice(entry: str, found: Sequence[Gpu], ask: Ask) -> Gpu | None:
    """A MIG slice with the node of the GPU that it is a part of."""
    whole: str = ""
    for line in ask().splitlines():
        if gpu := _SMI_GPU.match(line):
            whole = gpu[3]
        elif (part := _SMI_MIG.match(line)) and part[2].startswith(entry):
            owner = next((gpu for gpu in found if gpu.visible == whole), None)
            return owner and Gpu(part[2], f"{part[1]} of {owner.name}", owner.kind, owner.devices, owner.bus, part[2])
    owner = next((gpu for gpu in found if gpu.visible and gpu.visible in entry), None)  # MIG-GPU-<UUID>/instance/...
    return owner and Gpu(entry, f"a slice of {owner.name}", owner.kind, owner.devices, owner.bus, entry)


@cache
def _nvidia_smi() -> str:
    for program in ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi"):
        if said := answer_of(program, "-L"):
            return said
    return ""


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
