"""Control groups: where one would be made, what is read of it, and what the doctor says where there is none."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from targets import SMALL

from novum.core.model.trial import OutcomeKind
from novum.sandbox import SandboxUnavailable, Tier
from novum.sandbox.limits import accounts, cgroup
from novum.sandbox.limits.cgroup import Cgroup, CgroupSupport, cgroup_support, make_cgroup, own_directory

V2 = "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
BESIDE_V1 = "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" + V2.replace("cgroup rw", "cgroup/u rw")
CONTAINER = "700 600 0:27 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("mounts", "groups", "found"),
    [
        (V2, "0::/user.slice/a.scope\n", ("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a.scope")),
        (V2, "0::/\n", ("/sys/fs/cgroup", "/sys/fs/cgroup")),
        (BESIDE_V1, "4:memory:/x\n0::/y\n", ("/sys/fs/cgroup/u", "/sys/fs/cgroup/u/y")),
        (CONTAINER, "0::/docker/abc/inner\n", ("/sys/fs/cgroup", "/sys/fs/cgroup/inner")),
        (CONTAINER, "0::/elsewhere\n", ("/sys/fs/cgroup", "/sys/fs/cgroup")),
        ("30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/x\n", None),
        ("", "", None),
    ],
)
def test_the_directory_of_this_process(mounts, groups, found):
    assert own_directory(mounts, groups) == (found and tuple(map(Path, found)))


NEW = "anon 1000\nfile 5000000\nkernel 300\nkernel_stack 20\npagetables 30\nsock 40\nshmem 5000\nslab 10\n"
OLD = "anon 1000\nfile 5000000\nkernel_stack 20\npagetables 30\npercpu 5\nsock 40\nshmem 5000\nslab 10\n"


@pytest.mark.parametrize(("stat", "total"), [(NEW, 6340), (OLD, 6105)])
def test_memory_is_what_is_not_cache_of_a_disk(tmp_path, stat, total):
    (tmp_path / "memory.stat").write_text(stat)
    assert Cgroup(tmp_path).memory_bytes() == total


def test_what_the_kernel_counted_and_did(tmp_path):
    group = Cgroup(tmp_path)
    assert not group.ran_out_of_memory()
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 3200000\nuser_usec 3000000\nsystem_usec 200000\n")
    assert group.ran_out_of_memory()
    assert group.cpu_seconds() == 3.2


def test_limits_that_are_set(tmp_path):
    for name in ("memory.max", "pids.max", "memory.swap.max"):
        (tmp_path / name).touch()
    Cgroup(tmp_path).limit(replace(SMALL, memory_bytes=100, disk_bytes=10, processes=5), own=2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "memory.max": "120",
        "pids.max": "39",
        "memory.swap.max": "0",
    }


def test_a_group_that_cannot_be_made_any_more_is_no_silent_exchange(tmp_path):
    with pytest.raises(SandboxUnavailable, match="could not be made"):
        make_cgroup(SMALL, 1, CgroupSupport(str(tmp_path / "gone")))
    assert make_cgroup(SMALL, 1, CgroupSupport("")) is None


def test_the_doctor_says_what_is_missed(monkeypatch):
    monkeypatch.setattr(accounts, "cgroup_support", lambda: CgroupSupport("", "no groups today"))
    monkeypatch.setattr(accounts, "open_counter", lambda _: None)
    said = "\n".join(accounts.how_counted(Tier.NAMESPACES))
    assert "no groups today" in said
    assert "pipes" in said
    assert "cpu_seconds can be cheated" in said
    monkeypatch.setattr(accounts, "cgroup_support", lambda: CgroupSupport("/sys/fs/cgroup/x"))
    assert "counted by the kernel" in accounts.how_counted(Tier.NAMESPACES)[1]


@pytest.fixture
def group():
    """A real group, with controllers or without."""
    found = own_directory(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    if found is None or not os.access(found[1], os.W_OK):
        pytest.skip("no cgroup v2 here that this user may write to")
    made = Cgroup(found[1] / f"novum-job-{os.getpid()}-test")
    made.path.mkdir()
    yield made
    made.remove()
    assert not made.path.exists()


def test_a_real_group_counts_and_ends_its_processes(group):
    words = "read go; while :; do :; done & while :; do :; done"  # nothing is forked before it is in the group
    busy = subprocess.Popen(["/bin/sh", "-c", words], stdin=subprocess.PIPE, start_new_session=True)
    try:
        group.add([busy.pid, 1 << 22])
        busy.stdin.write(b"\n")
        busy.stdin.close()
        time.sleep(0.5)
        assert group.cpu_seconds() > 0.1
        group.remove()
        assert busy.wait(30) == -9
    finally:
        with suppress(ProcessLookupError):
            os.killpg(busy.pid, signal.SIGKILL)
    assert not group.path.exists()


def test_a_group_in_use_is_not_moved(monkeypatch, tmp_path):
    (tmp_path / "cgroup.procs").write_text("1\n")
    assert not cgroup._make_room(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "cgroup.procs"]


@pytest.mark.skipif(not cgroup_support().parent, reason="no memory controller to be had; `novum doctor` says why")
def test_a_job_in_a_group(play, tier):
    """Memory that nobody has mapped counts; honest sharing works; nothing is left behind."""
    if tier is Tier.NONE:
        pytest.skip("no group without a sandbox")
    shared = "import mmap\nwhole = mmap.mmap(-1, 8 << 20)\nwhole.write(b'x' * (8 << 20))\nprint('ok')"
    assert play(shared).stdout == "ok\n"
    hoard = (
        "import mmap, time\nwhole = mmap.mmap(-1, 512 << 20)\n"
        "for at in range(0, 512 << 20, 1 << 20):\n"
        "    whole[at:at + (1 << 20)] = b'x' * (1 << 20)\n    whole.madvise(4, at, 1 << 20)\ntime.sleep(5)"
    )
    ended = play(hoard)
    assert (ended.kind, ended.limit) == (OutcomeKind.OUT_OF_MEMORY, "memory_bytes"), ended
    files = "open('a', 'wb').write(bytes(7 << 20)); open('b', 'wb').write(bytes(7 << 20)); print('ok')"
    assert play(files, replace(SMALL, memory_bytes=64 << 20)).stdout == "ok\n"
    assert list(Path(cgroup_support().parent).glob(f"novum-job-{os.getpid()}-*")) == []
