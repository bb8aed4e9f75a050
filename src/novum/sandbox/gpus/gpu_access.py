"""What a job that holds GPUs is shown for them: device nodes, the driver's libraries, what these read, variables.

Covered: NVIDIA's driver (also in containers, where its libraries lie in folders of LD_LIBRARY_PATH), AMD's by way of
ROCm, and WSL. Libraries below /usr are shown to every job anyway, and are not named here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from novum.core.model.hardware import Gpu, GpuKind

ROOT = Path("/")
ASK_SECONDS = 10.0
"""How long a helper program of the system may take to answer."""

_DEVICES = {
    GpuKind.NVIDIA: ("dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia-uvm-tools"),
    GpuKind.AMD: ("dev/kfd",),
    GpuKind.WSL: ("dev/dxg",),
}
_LIBRARY = re.compile(r"lib(cuda|nvidia-|cudadebugger|nvcuvid|dxcore|d3d12|hsa-runtime|amdhip64|drm)[^/]*\.so")
_LISTED = re.compile(r"^\s*(\S+) \(.*\) => (\S+)$", re.M)
_PLACES = ("usr/lib/wsl", "run/opengl-driver/lib")
_SYSTEM = ("sys/devices/system/cpu", "sys/devices/system/memory", "sys/devices/system/node")
_DRIVER = {
    GpuKind.NVIDIA: ("sys/module/nvidia", "sys/module/nvidia_uvm"),
    GpuKind.AMD: ("sys/module/amdgpu", "sys/devices/virtual/kfd", "opt/rocm"),
    GpuKind.WSL: (),
}
_TABLES = ("proc/driver/nvidia", "proc/devices", "proc/stat", "proc/filesystems", "proc/sys/vm/mmap_min_addr",
           "proc/sys/vm/overcommit_memory")  # fmt: skip
_CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class GpuAccess:
    """What one job gets beside all else. Paths are absolute.

    devices: nodes that it opens to read, write and for ioctl. readable: files and folders, shown read-only; links: of
    these file systems, as (target, link). tables: files of /proc that a tier without a /proc of its own opens.
    environment: what it finds in its environment whatever its study says; libraries: folders for the loader.
    """

    devices: tuple[str, ...]
    readable: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    tables: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    libraries: tuple[str, ...] = ()


def access_to(gpus: Sequence[Gpu], root: Path = ROOT, outer: Mapping[str, str] = os.environ) -> GpuAccess | None:
    """What a job that holds `gpus` is shown; None for no GPUs. root: where /dev, /proc, /sys and the libraries lie.

    outer: the environment of this process, of which LD_LIBRARY_PATH is read.
    """
    if not gpus:
        return None
    kinds = tuple(dict.fromkeys(gpu.kind for gpu in gpus))
    shared = [root / name for kind in kinds for name in _DEVICES[kind]]
    if GpuKind.NVIDIA in kinds:
        shared += sorted((root / "dev/nvidia-caps").glob("nvidia-cap*"))
    devices = dict.fromkeys([*(node for gpu in gpus for node in gpu.devices), *map(str, shared)])
    folders, files = _libraries(root, outer.get("LD_LIBRARY_PATH", ""))
    system = [root / name for name in (*_SYSTEM, *(name for kind in kinds for name in _DRIVER[kind]))]
    buses = [(root / "sys/bus/pci/devices" / gpu.bus) for gpu in gpus if gpu.bus]
    links = [*buses, *([root / "sys/class/kfd/kfd"] if GpuKind.AMD in kinds else []), *_numbered(gpus, root)]
    real = [Path(os.path.realpath(link)) for link in links if link.is_symlink()]
    readable = (*map(str, (*system, *real)), *files)
    return GpuAccess(
        devices=tuple(node for node in devices if Path(node).exists()),
        readable=_without_nested(path for path in readable if Path(path).exists()),
        links=tuple((str(link.readlink()), str(link)) for link in links if link.is_symlink()),
        tables=tuple(str(root / name) for name in _TABLES if (root / name).exists()),
        environment=tuple(_selecting(gpus).items()),
        libraries=folders,
    )


def _selecting(gpus: Sequence[Gpu]) -> dict[str, str]:
    """Variables by which a program finds its GPUs: others have no device node in there, so places begin at 0."""
    places = ",".join(map(str, range(len(gpus))))
    if gpus[0].kind is GpuKind.AMD:
        return {"HIP_VISIBLE_DEVICES": places}
    named = ",".join(gpu.visible for gpu in gpus) if all(gpu.visible for gpu in gpus) else places
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": named}


def _numbered(gpus: Sequence[Gpu], root: Path) -> list[Path]:
    """Links by which libdrm finds the PCI device behind a render node."""
    found = []
    for gpu in gpus:
        if gpu.kind is GpuKind.AMD:
            numbers = (Path(node).stat().st_rdev for node in gpu.devices if Path(node).exists())
            found += [root / f"sys/dev/char/{os.major(number)}:{os.minor(number)}" for number in numbers]
    return found


def _libraries(root: Path, search: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders of the driver's libraries for the loader's path, and those libraries outside /usr, each by itself."""
    places = [root / one for one in _PLACES] + [Path(one) for one in search.split(":") if one.startswith("/")]
    folders = tuple(dict.fromkeys(str(one) for place in places for one in _holding(place)))
    found = [path for path in _known_to_loader() if _is_hidden(path)]
    for folder in folders:
        found += [str(one) for one in Path(folder).iterdir() if _LIBRARY.match(one.name)]
    real = [os.path.realpath(path) for path in found]
    return folders, tuple(dict.fromkeys(path for path in (*found, *real) if _is_hidden(path)))


def _holding(place: Path) -> list[Path]:
    """`place` or its lib, where a driver's library is in there."""
    try:
        return [one for one in (place, place / "lib") if one.is_dir() and any(map(_is_library, one.iterdir()))]
    except OSError:
        return []


def _is_library(path: Path) -> bool:
    return _LIBRARY.match(path.name) is not None


@cache
def _known_to_loader() -> tuple[str, ...]:
    """Libraries of drivers in the loader's cache."""
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig"):
        if said := answer_of(program, "-p"):
            return libraries_in(said)
    return ()


def libraries_in(listed: str) -> tuple[str, ...]:
    """Paths of the drivers' libraries in what `ldconfig -p` prints."""
    return tuple(dict.fromkeys(path for name, path in _LISTED.findall(listed) if _LIBRARY.match(name)))


def answer_of(*words: str) -> str:
    """What a program of the system prints within ten seconds; empty where there is none, or none in time."""
    try:
        ran = subprocess.run(words, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout if ran.returncode == 0 else ""


def _is_hidden(path: str) -> bool:
    """Whether a library lies where jobs see nothing: not below /usr by its folder's real name."""
    folder = os.path.realpath(Path(path).parent)
    return not f"{folder}/".startswith(("/usr/", "/lib/", "/lib64/"))


def _without_nested(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda one: (len(one), one)):
        if not any(path.startswith(f"{one}/") for one in kept) and not path.startswith("/usr/"):
            kept.append(path)
    return tuple(kept)


def folders_above(paths: Iterable[str]) -> list[str]:
    """Every folder above `paths`, outer ones first, the root left out."""
    return sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/"})


def cache_environment(work: str) -> dict[str, str]:
    """Where compilers for GPUs keep what they made: in the trial's own work directory, with which it goes."""
    return {
        "CUDA_CACHE_PATH": f"{work}/.cache/cuda",
        "CUDA_CACHE_MAXSIZE": str(_CACHE_BYTES),
        "TRITON_CACHE_DIR": f"{work}/.cache/triton",
        "TORCHINDUCTOR_CACHE_DIR": f"{work}/.cache/torchinductor",
    }
