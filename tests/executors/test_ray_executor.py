"""Actors, daemons and labs are killed and hang on a Ray cluster: each group comes back once, nothing stays behind."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from labs import coin_study, in_memory

from novum.core.model.budget import Budget
from novum.core.model.errors import ExecutorError
from novum.core.model.hardware import Gpu, GpuKind
from novum.core.model.trial import Limits, OutcomeKind
from novum.executors.ray_cluster import ray_executor
from novum.executors.ray_cluster.cluster_start import TOKEN_FILE, driver_environment
from novum.executors.ray_cluster.ray_executor import RayExecutor
from novum.sandbox.gpus.gpu_locks import GpuPool
from novum.sandbox.process_tree import descendants, in_session, runs

DOUBLES = "novum.testing.fault_injection"
PATIENT = Limits(seconds=60.0)
pytestmark = [pytest.mark.alone, pytest.mark.slow]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'novum[ray]'")


@pytest.fixture(scope="module")
def cluster():
    """One executor with a cluster of its own, of two cores."""
    with RayExecutor(DOUBLES, 2) as running:
        yield running


def folder_of(executor):
    return executor._driver._folder


def until_it_runs(executor, group):
    """Submit a group that stays, and return the actor that has begun to run it."""
    before = trials_of(executor)
    executor.submit(group)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert executor.collect(0.05) == []
        if new := trials_of(executor) - before:
            return new.pop()
    raise AssertionError("the group did not start")


def trials_of(executor):
    """The actors below whose fork server there is a trial."""
    return {place for place in executor.places if any(map(descendants, descendants(place.pid)))}


def lost(results, *groups):
    assert Counter(result.group.id for result in results) == Counter(group.id for group in groups)
    assert {output.failure for result in results for output in result.outputs} == {OutcomeKind.LOST}
    return results[0].outputs[0].cause


def gathered(executor, count, within=60.0):
    """So many results, and none beyond them in the next half second."""
    results, until = [], time.monotonic() + within
    while len(results) < count and time.monotonic() < until:
        results += executor.collect(0.5)
    return [*results, *executor.collect(0.5)]


@needs_ray
def test_a_killed_actor_loses_its_group_once_and_work_continues(cluster, make, finish):
    group = make("hang", PATIENT)
    actor = until_it_runs(cluster, group)
    below = descendants(actor.pid)
    os.kill(actor.pid, signal.SIGKILL)
    assert "actor was lost" in lost(gathered(cluster, 1), group)
    assert finish(cluster, make("echo"), within=60)[0].outputs[0].failure is None
    assert actor.pid not in {place.pid for place in cluster.places}
    assert not [pid for pid in below if runs(pid)]


@needs_ray
def test_its_cluster_is_private_and_listens_on_loopback_alone(cluster, finish, make):
    finish(cluster, make("echo"), within=60)
    folder = folder_of(cluster)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / TOKEN_FILE).stat().st_mode) == 0o600
    assert {place.node for place in cluster.places} == {"127.0.0.1"}
    listening = list(listeners(in_session(cluster._driver.pid)))
    assert len(listening) > 3 and set(listening) == {"127.0.0.1"}


def listeners(pids):
    """Addresses on which sockets of `pids` wait for connections, as the kernel lists them."""
    inodes = set()
    for pid in pids:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            if found := re.fullmatch(r"socket:\[(\d+)\]", str(fd.readlink()) if fd.is_symlink() else ""):
                inodes.add(found[1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                last = words[1].partition(":")[0][-8:]
                yield ".".join(str(int(last[place : place + 2], 16)) for place in (6, 4, 2, 0))


@needs_ray
def test_another_lab_on_its_cluster_reaches_the_same_verdicts_while_a_stopped_actor_is_given_up(
    cluster, make, monkeypatch
):
    group = make("hang", Limits(seconds=1.0))
    actor = until_it_runs(cluster, group)
    os.kill(actor.pid, signal.SIGSTOP)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(folder_of(cluster) / TOKEN_FILE))
    inline = in_memory(coin_study(), Budget(trials=300))
    inline.run()
    with RayExecutor("novum.arenas.coinflip", 1) as joined:
        lab = in_memory(coin_study(), Budget(trials=300), executor=joined)
        lab.run()
    assert verdicts(lab) == verdicts(inline) and len(verdicts(lab)) > 2
    assert "did not answer in time" in lost(gathered(cluster, 1), group)
    assert not runs(actor.pid)


def verdicts(lab):
    return [
        (one.id, one.verdict.verdict, one.verdict.e_value)
        for one in lab.state.hypotheses.values()
        if one.verdict is not None
    ]


@needs_ray
def test_when_the_raylet_is_killed_all_groups_are_lost_once_and_a_new_cluster_takes_over(cluster, make, finish):
    groups = [make("hang", PATIENT) for _ in range(3)]
    driver, folder = cluster._driver.pid, folder_of(cluster)
    for group in groups[:2]:
        until_it_runs(cluster, group)
    cluster.submit(groups[2])  # it waits
    (victim,) = [pid for pid in in_session(driver) if Path(f"/proc/{pid}/comm").read_text().strip() == "raylet"]
    os.kill(victim, signal.SIGKILL)
    assert "the raylet of the Ray cluster ended" in lost(gathered(cluster, 3), *groups)
    assert in_session(driver) == [] and not folder.exists()
    assert finish(cluster, make("echo"), within=60)[0].outputs[0].failure is None


@needs_ray
def test_leaving_ends_every_process_and_removes_the_folder(cluster, make):
    until_it_runs(cluster, make("hang", PATIENT))
    driver, folder = cluster._driver.pid, folder_of(cluster)
    below = descendants(driver)
    began = time.monotonic()
    cluster.close()
    assert time.monotonic() - began < 5
    time.sleep(1.0)
    assert in_session(driver) == [] and not [pid for pid in below if runs(pid)] and not folder.exists()
    with pytest.raises(ExecutorError, match="closed"):
        cluster.submit(make("echo"))


@needs_ray
def test_no_two_groups_hold_one_gpu_at_a_time(make, finish, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)]))
    gpu = Gpu("GPU-0", "a GPU", GpuKind.NVIDIA, ("/dev/full",), visible="GPU-0")
    with RayExecutor("gpu_program", 2, gpus=GpuPool([gpu], 1, tmp_path)) as executor:
        results = finish(executor, *(make("look") for _ in range(3)), within=90)
    spans = sorted((one["began"], one["ended"]) for one in told(results))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(one["gpus"] == ["GPU-0"] and one["visible"] == "GPU-0" for one in told(results))


def told(results):
    return [json.loads(result.outputs[0].artefact) for result in results]


LAB = """
import sys, time
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup
from novum.executors.ray_cluster.ray_executor import RayExecutor

with RayExecutor("novum.testing.fault_injection", 1) as executor:
    executor.submit(TrialGroup("g", Candidate({"act": "hang"}), (Trial("g/1", 1),)))
    while not executor.places:
        executor.collect(0.05)
    print(executor._driver.pid, executor._driver._folder, flush=True)
    executor.collect(60)
"""


@needs_ray
def test_a_killed_lab_leaves_no_cluster_behind(probes):
    lab = subprocess.Popen([sys.executable, "-c", LAB], stdout=subprocess.PIPE, text=True)
    driver, folder = lab.stdout.readline().split()
    below = descendants(int(driver))
    assert len(below) > 5
    lab.kill()
    lab.communicate()
    assert probes[2](lambda: not in_session(int(driver)) and not any(map(runs, below)), 5)
    assert probes[2](lambda: not Path(folder).exists(), 5)


def test_without_ray_it_says_what_to_install(monkeypatch):
    def absent(name):
        raise ray_executor.PackageNotFoundError(name)

    monkeypatch.setattr(ray_executor, "version", absent)
    with pytest.raises(ExecutorError, match=r'pip install "novum\[ray\]"'):
        RayExecutor(DOUBLES, 1)


def test_a_version_without_tokens_is_refused(monkeypatch):
    monkeypatch.setattr(ray_executor, "version", lambda _: "2.51.1")
    with pytest.raises(ExecutorError, match=r"2\.60 or newer, not 2\.51\.1"):
        RayExecutor(DOUBLES, 1)


def test_nobody_joins_a_cluster_without_a_token_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(ray_executor, "version", lambda _: "2.60.0")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ExecutorError, match="takes its token"):
        RayExecutor(DOUBLES, 1, address="10.0.0.1:6379")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    with pytest.raises(ExecutorError, match="nothing answers"):
        RayExecutor(DOUBLES, 1, address="127.0.0.1:1")
    with pytest.raises(ExecutorError, match="is the Ray client's"):
        RayExecutor(DOUBLES, 1, address="ray://10.0.0.1:10001")


def test_a_cluster_of_its_own_gets_no_secret_and_no_wish_of_the_user_about_authentication(tmp_path):
    outer = {
        "PATH": "/bin",
        "API_KEY": "secret",
        "RAY_AUTH_MODE": "disabled",
        "RAY_AUTH_TOKEN": "t",
        "RAY_ADDRESS": "x",
    }
    own = driver_environment(outer, "mark", "", tmp_path)
    assert own["RAY_AUTH_MODE"] == "token" and own["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / TOKEN_FILE)
    assert not {"API_KEY", "RAY_AUTH_TOKEN", "RAY_ADDRESS"} & set(own)
    joined = driver_environment(outer, "mark", "10.0.0.1:6379", None)
    assert joined["RAY_AUTH_MODE"] == "token" and joined["RAY_AUTH_TOKEN"] == "t" and "API_KEY" not in joined


def test_the_lab_never_imports_ray():
    code = (
        "import sys, novum, novum.cli.app\n"
        "from novum.registry import Kind, find\n"
        "find(Kind.EXECUTOR, 'ray', 'executor')\n"
        "sys.exit('ray' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
