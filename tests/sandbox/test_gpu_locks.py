"""A GPU is held by one group at a time, over all labs of a user; who waits gets a turn; the dead hold none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from novum.core.model.errors import UserError
from novum.core.model.hardware import Gpu, GpuKind
from novum.sandbox.gpus import gpu_locks
from novum.sandbox.gpus.gpu_locks import GpuPool, lock_folder


def some(count: int) -> list[Gpu]:
    return [Gpu(f"GPU/{number}", "a GPU", GpuKind.NVIDIA, ("/dev/full",)) for number in range(count)]


def test_no_gpu_is_handed_out_twice_and_all_are(tmp_path):
    pools = [GpuPool(some(4), 1, tmp_path) for _ in range(2)]
    leases = [pools[number % 2].take() for number in range(4)]
    assert {gpu.id for lease in leases for gpu in lease.gpus} == {gpu.id for gpu in some(4)}
    assert pools[0].take() is None and pools[1].take() is None
    leases[2].release()
    leases[2].release()
    assert pools[0].take().gpus == leases[2].gpus


def test_several_are_taken_at_once_or_none(tmp_path):
    pair, single = GpuPool(some(3), 2, tmp_path), GpuPool(some(3), 1, tmp_path)
    assert (pair.groups, single.groups) == (1, 3)
    first = pair.take()
    assert len(first.gpus) == 2
    assert pair.take() is None, "one is free, and it is left so"
    pair.close()
    last = single.take()
    assert len({*first.gpus, *last.gpus}) == 3


def test_the_one_that_is_free_for_longest_is_next(tmp_path):
    pool = GpuPool(some(3), 1, tmp_path)
    used = Counter()
    for moment in range(9):
        lease = pool.take()
        used[lease.gpus[0].id] += 1
        lease.release()
        os.utime(tmp_path / lease.gpus[0].id.replace("/", "_"), (moment + 1, moment + 1))
    assert set(used.values()) == {3}


def test_two_labs_on_one_gpu_take_turns(tmp_path):
    labs = [GpuPool(some(1), 1, tmp_path) for _ in range(2)]
    order = []
    lease, holder = labs[0].take(), 0
    for _ in range(6):
        assert labs[1 - holder].take() is None, "it waits, and has the turn"
        lease.release()
        assert labs[holder].take() is None, "who has just held it waits for the other"
        lease, holder = labs[1 - holder].take(), 1 - holder
        order.append(holder)
    assert order == [1, 0] * 3


HOLDS = """
import sys, time
from pathlib import Path
from novum.core.model.hardware import Gpu, GpuKind
from novum.sandbox.gpus.gpu_locks import GpuPool
lease = GpuPool([Gpu("GPU/0", "a GPU", GpuKind.NVIDIA, ())], 1, Path(sys.argv[1])).take()
print("held", flush=True)
time.sleep(60)
"""


def test_the_gpus_of_a_killed_lab_are_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        pool = GpuPool(some(1), 1, tmp_path)
        assert pool.take() is None
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert pool.take() is not None


def test_a_folder_of_locks_that_others_can_write_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_locks, "Path", lambda _: tmp_path / "locks")
    assert lock_folder() == tmp_path / "locks"
    (tmp_path / "locks").chmod(0o777)
    with pytest.raises(UserError, match="not a folder of this user alone"):
        lock_folder()
    (tmp_path / "locks").rmdir()
    (tmp_path / "locks").symlink_to(tmp_path)
    with pytest.raises(UserError):
        lock_folder()
