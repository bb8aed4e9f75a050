"""GPUs are found from the kernel's files alone, and only those are handed out that the user's variables leave."""

from __future__ import annotations

import os

import pytest

from novum.core.model.hardware import Gpu, GpuKind
from novum.sandbox.gpus import found_gpus, gpu_access
from novum.sandbox.gpus.found_gpus import find_gpus, why_closed, why_too_few
from novum.sandbox.gpus.gpu_access import access_to, libraries_in
from novum.sandbox.gpus.gpu_report import gpu_report, report_lines
from novum.sandbox.job import Tier

UUIDS = [f"GPU-{number}1111111-2222-3333-4444-555555555555" for number in range(3)]
VERSION = """NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (builder@host)
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
INFORMATION = """Model: \t\t {model}
IRQ:   \t\t 42
GPU UUID: \t {uuid}
Bus Location: \t {bus}
Device Minor: \t {minor}
GPU Excluded:\t No
"""


def machine(root, count=3, *, uuids=UUIDS):
    """A made-up /proc and /dev with NVIDIA GPUs; their device minors are in the reverse order of their addresses."""
    (root / "dev/nvidia-caps").mkdir(parents=True)
    for name in ("nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1", *(f"nvidia{number}" for number in range(count))):
        (root / "dev" / name).touch()
    tables = root / "proc/driver/nvidia"
    tables.mkdir(parents=True)
    (tables / "version").write_text(VERSION)
    for number in range(count):
        bus = f"0000:{number + 1}5:00.0"
        folder = tables / "gpus" / bus
        folder.mkdir(parents=True)
        text = INFORMATION.format(model=f"Model {number}", uuid=uuids[number], bus=bus, minor=count - 1 - number)
        (folder / "information").write_text(text)
        real = root / f"sys/devices/pci0000:00/{bus}"
        real.mkdir(parents=True)
        links = root / "sys/bus/pci/devices"
        links.mkdir(parents=True, exist_ok=True)
        (links / bus).symlink_to(f"../../../devices/pci0000:00/{bus}")
    return root


def never() -> str:
    raise AssertionError("the kernel's files say all that is needed")


def test_names_addresses_and_nodes_are_read_from_the_kernel(tmp_path):
    found = find_gpus(machine(tmp_path), {}, never)
    assert found.driver == "550.54.15"
    assert [(gpu.id, gpu.name, gpu.visible) for gpu in found.gpus] == [
        (uuid, f"Model {number}", uuid) for number, uuid in enumerate(UUIDS)
    ]
    assert [gpu.devices for gpu in found.gpus] == [(str(tmp_path / f"dev/nvidia{2 - n}"),) for n in range(3)]


def test_a_gpu_whose_node_is_not_here_is_left_out_and_named(tmp_path):
    (machine(tmp_path) / "dev/nvidia0").unlink()
    found = find_gpus(tmp_path, {}, never)
    assert [gpu.name for gpu in found.gpus] == ["Model 0", "Model 1"]
    assert "Model 2" in found.notes[0] and "nvidia0" in found.notes[0]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ("1", [1]),
        ("2,0", [2, 0]),
        ("", []),
        ("-1", []),
        ("0,-1,1", [0]),
        ("0,7,1", [0]),
        ("1,1", [1]),
        (UUIDS[2], [2]),
        ("GPU-11111", [1]),
        (f"GPU-0, {UUIDS[1]}", [0, 1]),
        ("none", []),
    ],
)
def test_the_users_variable_decides_as_it_does_for_cuda(tmp_path, wanted, left):
    found = find_gpus(machine(tmp_path), {"CUDA_VISIBLE_DEVICES": wanted}, never)
    assert [UUIDS.index(gpu.id) for gpu in found.gpus] == left
    assert f"{len(left)} of 3" in found.notes[-1]


LISTED = f"""GPU 0: Model 0 (UUID: {UUIDS[0]})
  MIG 1g.10gb     Device  0: (UUID: MIG-aaaaaaaa-1111-2222-3333-444444444444)
  MIG 1g.10gb     Device  1: (UUID: MIG-bbbbbbbb-1111-2222-3333-444444444444)
GPU 1: Model 1 (UUID: {UUIDS[1]})
  MIG 2g.20gb     Device  0: (UUID: MIG-cccccccc-1111-2222-3333-444444444444)
GPU 2: Model 2 (UUID: {UUIDS[2]})
"""


def test_slices_come_with_the_node_of_their_gpu(tmp_path):
    wanted = f"MIG-bbbb,MIG-cccccccc-1111-2222-3333-444444444444,MIG-{UUIDS[2]}/1/0"
    found = find_gpus(machine(tmp_path), {"CUDA_VISIBLE_DEVICES": wanted}, lambda: LISTED)
    assert [gpu.name for gpu in found.gpus] == [
        "MIG 1g.10gb of Model 0",
        "MIG 2g.20gb of Model 1",
        "a slice of Model 2",
    ]
    assert [gpu.devices[0][-1] for gpu in found.gpus] == ["2", "1", "0"]
    assert len({gpu.id for gpu in found.gpus}) == 3, "each slice has a lock of its own"
    assert access_to(found.gpus[:1], tmp_path, {}).environment[1][1] == "MIG-bbbbbbbb-1111-2222-3333-444444444444"


def test_uuids_that_the_driver_does_not_know_yet_are_asked_for(tmp_path):
    unknown = ["GPU-????????-????-????-????-????????????"] * 3
    assert [gpu.id for gpu in find_gpus(machine(tmp_path, uuids=unknown), {}, lambda: LISTED).gpus] == UUIDS
    silent = find_gpus(tmp_path, {}, str)
    assert [gpu.id for gpu in silent.gpus] == ["0000:15:00.0", "0000:25:00.0", "0000:35:00.0"]
    assert dict(access_to(silent.gpus[1:], tmp_path, {}).environment)["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_nodes_alone_are_enough_where_a_container_hides_the_tables(tmp_path):
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-modeset"):
        (tmp_path / "dev" / name).touch()
    assert [gpu.id for gpu in find_gpus(tmp_path, {}, str).gpus] == ["nvidia0", "nvidia2", "nvidia10"]


def test_windows_and_amd_have_gpus_too(tmp_path):
    windows, amd = tmp_path / "windows", tmp_path / "amd"
    (windows / "dev").mkdir(parents=True)
    (windows / "dev/dxg").touch()
    (gpu,) = find_gpus(windows, {}, str).gpus
    assert gpu.kind is GpuKind.WSL and access_to([gpu], windows, {}).devices == (str(windows / "dev/dxg"),)
    (amd / "dev/dri").mkdir(parents=True)
    for name in ("kfd", "dri/renderD128", "dri/renderD129", "dri/card0"):
        (amd / "dev" / name).touch()
    for number, (gpu_id, minor) in enumerate([("0", 0), ("1001", 128), ("1002", 129)]):
        node = amd / f"sys/class/kfd/kfd/topology/nodes/{number}"
        node.mkdir(parents=True)
        (node / "gpu_id").write_text(f"{gpu_id}\n")
        (node / "name").write_text("gfx1100\n")
        (node / "properties").write_text(f"simd_count 4\nlocation_id 768\ndomain 0\ndrm_render_minor {minor}\n")
    found = find_gpus(amd, {"HIP_VISIBLE_DEVICES": "1"}, never).gpus
    assert [(gpu.id, gpu.bus) for gpu in found] == [("renderD129", "0000:03:00.0")]
    access = access_to(found, amd, {})
    assert access.devices == (str(amd / "dev/dri/renderD129"), str(amd / "dev/kfd"))
    assert access.environment == (("HIP_VISIBLE_DEVICES", "0"),), "the other one has no node in there"


def test_no_gpu_is_no_error(tmp_path):
    assert find_gpus(tmp_path, {}, never) == found_gpus.FoundGpus()
    assert access_to(()) is None


def test_a_job_is_shown_its_own_nodes_and_what_the_driver_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_access, "_known_to_loader", lambda: ())
    found = find_gpus(machine(tmp_path), {}, never).gpus
    folder = tmp_path / "elsewhere/lib64"
    folder.mkdir(parents=True)
    for name in ("libcuda.so.550", "libnvidia-ml.so.1", "libsecret.so", "notes.txt"):
        (folder / name).touch()
    (folder / "libcuda.so.1").symlink_to("libcuda.so.550")
    (tmp_path / "empty").mkdir()
    access = access_to(found[:1], tmp_path, {"LD_LIBRARY_PATH": f"{tmp_path}/empty:relative::{folder}"})
    names = [os.path.relpath(path, tmp_path / "dev") for path in access.devices]
    assert names == ["nvidia2", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1"]
    assert access.libraries == (str(folder),)
    shown = {os.path.relpath(path, tmp_path) for path in access.readable}
    assert {one for one in shown if one.startswith("elsewhere")} == {
        f"elsewhere/lib64/{name}" for name in ("libcuda.so.1", "libcuda.so.550", "libnvidia-ml.so.1")
    }
    assert "sys/devices/pci0000:00/0000:15:00.0" in shown and "sys/devices/pci0000:00/0000:25:00.0" not in shown
    assert access.links[0][1] == str(tmp_path / "sys/bus/pci/devices/0000:15:00.0")
    assert dict(access.environment)["CUDA_VISIBLE_DEVICES"] == UUIDS[0]


def test_the_drivers_libraries_are_found_in_the_loaders_cache():
    listed = """3 libs found in cache `/etc/ld.so.cache'
\tlibnvidia-ml.so.1 (libc6,x86-64) => /opt/driver/libnvidia-ml.so.1
\tlibc.so.6 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/x86_64-linux-gnu/libc.so.6
\tlibcuda.so.1 (libc6,x86-64) => /opt/driver/libcuda.so.1
"""
    assert libraries_in(listed) == ("/opt/driver/libnvidia-ml.so.1", "/opt/driver/libcuda.so.1")


def test_a_helper_program_that_hangs_is_left_alone(monkeypatch):
    monkeypatch.setattr(gpu_access, "ASK_SECONDS", 0.1)
    assert gpu_access.answer_of("sleep", "30") == ""
    assert gpu_access.answer_of("there-is-no-such-program") == ""


def test_a_node_that_candidates_cannot_open_is_told(tmp_path):
    node = tmp_path / "renderD128"
    gpu = Gpu("renderD128", "a GPU", GpuKind.AMD, (str(node),))
    assert str(node) in why_closed([gpu])
    node.touch()
    node.chmod(0o666)
    assert why_closed([gpu]) == ""
    node.chmod(0o000)
    assert "mode 0" in why_closed([gpu])


def test_the_doctor_says_what_a_gpu_opens(tmp_path, monkeypatch):
    (machine(tmp_path) / "dev/nvidia0").chmod(0o666)
    for node in (tmp_path / "dev").glob("nvidia?"):
        node.chmod(0o666)
    found = find_gpus(tmp_path, {"CUDA_VISIBLE_DEVICES": "0,1"}, never)
    for tier in (Tier.NAMESPACES, Tier.LANDLOCK):
        report = gpu_report(found, tier)
        lines = report_lines(report)
        assert [label for label, _ in lines].count("gpu") == report.trials == 2
        said = "\n".join(words for _, words in lines)
        assert "550.54.15" in said and UUIDS[0] in said and "ioctl" in said and "2 of 3" in said
        assert ("Unix socket" in said) == (tier is Tier.LANDLOCK)
    ((label, words),) = report_lines(gpu_report(found_gpus.FoundGpus(), Tier.NAMESPACES))
    assert label == "gpu" and "none" in words
    monkeypatch.setattr(found_gpus, "gpus_here", lambda: found)
    assert why_too_few(2) == "" and "this machine has 2" in why_too_few(3)
