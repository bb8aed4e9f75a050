"""What a job with GPUs is given passes the walls of both tiers, and without `gpus` it stays out.

A harmless device stands in for a GPU's node: it goes the same way, is opened, read, mapped and asked by ioctl.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from targets import SMALL

from novum.core.model.trial import OutcomeKind
from novum.sandbox import Bounds, Job, Tier, run
from novum.sandbox.gpus.found_gpus import gpus_here, why_too_few
from novum.sandbox.gpus.gpu_access import GpuAccess, access_to
from novum.sandbox.gpus.gpu_locks import GpuPool
from novum.sandbox.limits.cgroup import cgroup_support
from novum.sandbox.visible.visible_paths import drops_user

FULL = "/dev/full"
"""A device that everybody may open, reads as zeros, and is shown to no job otherwise."""
NODE = GpuAccess((FULL,), environment=(("CUDA_VISIBLE_DEVICES", "GPU-1"),))

READS = """
import os, sys
try:
    with open(sys.argv[1], "r+b", buffering=0) as node:
        print(node.read(4))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(params=[Tier.NAMESPACES, Tier.LANDLOCK], ids=str)
def walls(request, obstacles) -> Tier:
    if obstacles[request.param]:
        pytest.skip(f"tier {request.param}: {obstacles[request.param]}")
    return request.param


def said(walls, source: str, *words: str, gpus: GpuAccess | None = NODE, limits: Bounds = SMALL, **more) -> str:
    job = Job(("python", "main.py", *words), {"main.py": source.encode()}, gpus=gpus, limits=limits, **more)
    ended = run(job, walls)
    assert ended.kind is None, (ended.cause, ended.stderr)
    return ended.stdout.strip()


def test_a_device_is_opened_with_gpus_and_refused_without(walls):
    assert said(walls, READS, FULL) == repr(bytes(4))
    assert said(walls, READS, FULL, gpus=None) in ("FileNotFoundError", "PermissionError")


def test_only_the_nodes_that_are_named_are_opened(walls, tmp_path):
    other = GpuAccess(("/dev/zero",))
    assert said(walls, READS, FULL, gpus=other) in ("FileNotFoundError", "PermissionError")


@pytest.mark.skipif(not drops_user(), reason="only root makes device nodes")
def test_a_node_of_ones_own_making_passes_by_its_path(walls, tmp_path):
    node = tmp_path / "dev/nvidia-caps/nvidia-cap2"
    node.parent.mkdir(parents=True)
    os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    node.chmod(0o666)
    for folder in node.parents:
        if folder.is_relative_to(Path("/tmp")) and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    assert said(walls, READS, str(node), gpus=GpuAccess((str(node),))) == repr(bytes(4))
    assert said(walls, READS, str(node), gpus=None) in ("FileNotFoundError", "PermissionError")


def test_the_drivers_ioctls_reach_the_device(walls):
    """/dev/full has none of its own, and says so; a wall would say that it is not permitted (Landlock: denied)."""
    source = """
import errno, fcntl, os
node = os.open("/dev/full", os.O_RDWR)
found = set()
for command in (0xC0284646, 0xC020462A, 0x30000001, 27, 0xC0304B0C, 0xC0184701, 0xC0406400):
    try:
        fcntl.ioctl(node, command, bytes(64))
    except OSError as error:
        found.add(errno.errorcode[error.errno])
print(sorted(found))
"""
    assert said(walls, source) == "['ENOTTY']"


def test_a_driver_may_reserve_address_space_pin_and_listen(walls):
    """What NVIDIA's libraries do when they begin: all of it is refused to a job without GPUs, or what it needs is."""
    source = """
import errno, mmap, socket
NO_RESERVE = 0x4000
def tried(act):
    try:
        act()
        return "ok"
    except (OSError, ValueError, MemoryError) as error:
        return errno.errorcode.get(getattr(error, "errno", 0) or 0, type(error).__name__)
def listens():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        end.bind("\\0cuda-uvmfd-test")
        end.listen(16)
print(tried(lambda: mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE, prot=0)),
      tried(lambda: mmap.mmap(-1, 1 << 20)), tried(listens))
"""
    assert said(walls, source) == "ok ok ok"
    pinned = "ok" if cgroup_support().parent else "EPERM"
    listens = "EPERM" if walls is Tier.LANDLOCK else "ok"
    assert said(walls, source, gpus=None) == f"ENOMEM {pinned} {listens}"


def test_the_socket_of_a_driver_reaches_nobody(obstacles, tmp_path):
    if obstacles[Tier.LANDLOCK]:
        pytest.skip(obstacles[Tier.LANDLOCK])
    source = """
import socket
def tried(act, *words):
    try:
        act(*words)
        return "ok"
    except OSError as error:
        return type(error).__name__
from socket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM
end, other = socket.socket(AF_UNIX, SOCK_STREAM), socket.socket(AF_UNIX, SOCK_STREAM)
end.bind("\\0novum-test-gpu-socket")
end.listen()
refused = {tried(end.accept), tried(other.connect, "\\0novum-test-gpu-socket")}
for kind in ((AF_UNIX, SOCK_DGRAM), (AF_INET, SOCK_STREAM), (AF_INET6, SOCK_DGRAM), (16, SOCK_DGRAM)):
    refused.add(tried(socket.socket, *kind))
print(refused)
"""
    assert said(Tier.LANDLOCK, source) == "{'PermissionError'}"


def test_memory_is_still_bounded_by_what_is_resident(walls):
    source = "import time\nheld = bytearray(b'x' * (400 << 20))\ntime.sleep(20)\n"
    job = Job(("python", "-c", source), gpus=NODE, limits=replace(SMALL, memory_bytes=200 << 20))
    assert run(job, walls).limit == "memory_bytes"


def test_libraries_and_tables_are_read_and_not_written(walls, tmp_path):
    library, link = tmp_path / "driver/libcuda.so.1", tmp_path / "links/device"
    library.parent.mkdir()
    link.parent.mkdir()
    library.write_bytes(b"ELF!")
    link.symlink_to("../driver")
    for folder in library.parents:
        if folder.is_relative_to(Path("/tmp")) and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    library.chmod(0o644)
    gpus = GpuAccess((FULL,), readable=(str(library),), links=(("../driver", str(link)),), tables=("/proc/devices",),
                     libraries=(str(library.parent),))  # fmt: skip
    source = f"""
import os
print(open({str(library)!r}).read(), open({str(link / library.name)!r}).read(), os.environ["LD_LIBRARY_PATH"])
print(len(open("/proc/devices").read()) > 10)
try:
    open({str(library)!r}, "a")
except OSError:
    print("not written")
"""
    assert said(walls, source, gpus=gpus).split() == ["ELF!", "ELF!", str(library.parent), "True", "not", "written"]


def test_the_study_cannot_choose_another_gpu_and_caches_go_with_the_trial(walls):
    source = """
import os
from pathlib import Path
places = [os.environ[name] for name in ("CUDA_CACHE_PATH", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")]
for place in places:
    Path(place).mkdir(parents=True)
print(os.environ["CUDA_VISIBLE_DEVICES"], all(Path(place).is_relative_to(Path.cwd()) for place in places))
"""
    assert said(walls, source, environment={"CUDA_VISIBLE_DEVICES": "7"}) == "GPU-1 True"
    bare = "import os; print('CUDA_VISIBLE_DEVICES' in os.environ, 'CUDA_CACHE_PATH' in os.environ)"
    assert said(walls, bare, gpus=None) == "False False"


MATMUL = """
import torch
assert torch.cuda.device_count() == 1, torch.cuda.device_count()
print(float((torch.ones(64, 64, device="cuda") @ torch.ones(64, 64, device="cuda"))[0, 0]))
"""


@pytest.mark.gpu
def test_torch_multiplies_matrices_on_a_gpu_inside(walls):
    if reason := why_too_few(1):
        pytest.skip(f"no GPU here: {reason}")
    torch = pytest.importorskip("torch")
    if not torch.version.cuda and not torch.version.hip:
        pytest.skip("PyTorch here was built for the CPU alone")
    lease = GpuPool(gpus_here().gpus, 1).take()
    assert lease, "another program holds every GPU"
    try:
        limits = Bounds(seconds=120, cpu_seconds=480, memory_bytes=8 << 30, processes=16)
        assert said(walls, MATMUL, gpus=access_to(lease.gpus), limits=limits, packages=("torch",)) == "64.0"
        job = Job(
            ("python", "-c", "import torch; print(torch.cuda.is_available())"), packages=("torch",), limits=limits
        )
        assert run(job, walls).stdout.strip() == "False", "without gpus none is seen"
    finally:
        lease.release()


def test_a_full_gpu_is_told_from_a_limit_of_the_study(walls):
    last = (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8 GiB"
    )
    job = Job(("python", "-c", f"import sys; sys.exit({last!r})"), gpus=NODE)
    ended = run(job, walls)
    assert (ended.kind, ended.limit) == (OutcomeKind.OUT_OF_MEMORY, "gpu_memory")
    assert ended.cause.startswith("needs more memory than its GPU has free (exit status 1")
