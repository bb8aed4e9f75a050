"""Machines that dial in: what dies, drops, sleeps or comes late costs time, and never a result or a wrong one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from dialled_in import door, ended, until, worker

from novum.core.model.candidate import Candidate
from novum.core.model.errors import ExecutorError
from novum.core.model.trial import Limits, OutcomeKind, Trial, TrialGroup
from novum.executors.remote import hub
from novum.executors.remote.remote_executor import RemoteExecutor
from novum.testing.tunnel import Tunnel

PROGRAM = "novum.testing.fault_injection"


def group(name, act="echo", seconds=0.0, together="", kind=""):
    genome = {"act": act, "seconds": seconds} if seconds else {"act": act}
    limits = Limits(seconds=60.0)
    return TrialGroup(name, Candidate(genome), (Trial(f"{name}.0", 7),), limits=limits, together=together, kind=kind)


@pytest.fixture
def workers():
    """Processes that are ended with the test."""
    found = []
    yield found
    for one in found:
        if one.poll() is None:
            os.kill(one.pid, signal.SIGCONT)
            one.kill()
        one.communicate()


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 2.0)
    monkeypatch.setattr(hub, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.2)
    said = []
    opened = door(tmp_path, say=said.append)
    with RemoteExecutor(PROGRAM, 1, door=opened) as executor:
        executor.said, executor.token = said, opened.credentials.token
        yield executor


def results(lab, count, seconds=30.0):
    found, end = [], time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} came back"
        found += lab.collect(0.2)
    return found


def test_a_killed_worker_loses_what_it_had_once_and_another_goes_on(lab, workers):
    lab.submit(group("probed"))
    workers.append(worker(lab.address, lab.token, name="first"))
    results(lab, 1)
    lab.submit(group("long", "sleep", 30.0))
    until(lambda: lab.slots == 2)
    time.sleep(0.5)
    workers[0].kill()
    (lost,) = results(lab, 1)
    assert lost.outputs[0].failure is OutcomeKind.LOST
    assert "is gone" in lost.outputs[0].cause
    assert lost.machine.id.startswith("first-")
    assert not lab.machines
    assert "said nothing" in lab.why_gone(lost.machine.id)
    workers.append(worker(lab.address, lab.token, name="second"))
    lab.submit(group("again"))
    (done,) = results(lab, 1)
    assert done.outputs[0].failure is None
    assert done.machine.id.startswith("second-")
    assert list(lab.collect(0.3)) == []


def test_a_tunnel_that_drops_costs_nothing(lab, workers):
    """The group is begun, the tunnel falls, the group ends, the tunnel is mended: its outcome comes, once."""
    tunnel = Tunnel(lab.address)
    try:
        lab.submit(group("probed"))
        workers.append(worker(tunnel.address, lab.token))
        results(lab, 1)
        lab.submit(group("through", "sleep", 0.8))
        time.sleep(0.4)
        tunnel.cut()
        time.sleep(0.7)
        tunnel.mend()
        (done,) = results(lab, 1)
        assert (done.outputs[0].failure, done.late) == (None, False)
        assert list(lab.collect(0.5)) == []
        lab.submit(group("after"))
        assert results(lab, 1)[0].outputs[0].failure is None
    finally:
        tunnel.close()


def test_a_worker_that_was_stopped_too_long_is_given_up_and_its_outcome_comes_late(lab, workers):
    tunnel = Tunnel(lab.address)
    try:
        lab.submit(group("probed"))
        workers.append(worker(tunnel.address, lab.token))
        results(lab, 1)
        lab.submit(group("slow", "sleep", 0.5))
        time.sleep(0.3)
        workers[0].send_signal(signal.SIGSTOP)
        (lost,) = results(lab, 1)
        assert lost.outputs[0].failure is OutcomeKind.LOST
        workers[0].send_signal(signal.SIGCONT)
        (late,) = results(lab, 1)
        assert (late.group.id, late.late, late.outputs[0].failure) == ("slow", True, None)
        assert late.usage.wall_seconds >= 0.5  # what it cost counts as spent
        lab.submit(group("after"))
        (done,) = results(lab, 1)
        assert (done.machine.id, done.late) == (lost.machine.id, False)
    finally:
        tunnel.close()


@pytest.mark.parametrize("which", ["wrong", "old", "of another lab"])
def test_who_has_no_token_of_this_lab_is_refused(lab, workers, tmp_path, which):
    token = str(lab.token)
    if which == "wrong":
        token = token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb")
    elif which == "old":
        door(tmp_path).credentials.renew()
    else:
        token = str(door(tmp_path / "other").credentials.token)
    workers.append(worker(lab.address, token))
    output, status = ended(workers[0])
    assert status == 2
    assert ("certificate" if which == "of another lab" else "token is not this lab's") in output
    assert not lab.machines
    assert bool(lab.said) is (which != "of another lab")


def test_a_worker_of_other_code_is_refused(tmp_path, workers):
    with RemoteExecutor(PROGRAM, 1, door=door(tmp_path, code="0" * 64)) as lab:
        workers.append(worker(lab.address, door(tmp_path).credentials.token))
        output, status = ended(workers[0])
    assert status == 2
    assert "install the lab's version" in output


def test_a_machine_that_is_drained_finishes_and_leaves(lab, workers):
    lab.submit(group("probed"))
    workers.append(worker(lab.address, lab.token))
    (first,) = results(lab, 1)
    lab.submit(group("running", "sleep", 0.6))
    time.sleep(0.3)
    assert lab.drain(first.machine.id, "somebody has sent it away")
    assert not lab.drain("nobody", "nothing")
    lab.submit(group("waits"))
    (done,) = results(lab, 1)
    assert (done.group.id, done.outputs[0].failure) == ("running", None)
    until(lambda: not lab.machines)
    output, status = ended(workers[0])
    assert (status, "somebody has sent it away" in output) == (0, True)
    workers.append(worker(lab.address, lab.token))
    assert results(lab, 1)[0].group.id == "waits"


def test_pairs_wait_for_a_machine_of_the_kind_that_their_first_half_ran_on(lab, workers, monkeypatch):
    lab.submit(group("first", together="h1:1"))
    workers.append(worker(lab.address, lab.token, name="a"))
    (first,) = results(lab, 1)
    lab.submit(group("second", together="h1:1"))
    lab.submit(group("elsewhere", together="h2:1", kind="another kind"))
    lab.submit(group("free"))
    done = results(lab, 2)
    assert {one.group.id for one in done} == {"second", "free"}
    assert {one.machine.kind for one in done} == {first.machine.kind}
    assert list(lab.collect(0.5)) == []


def test_an_address_that_is_taken_or_none_is_said_to_be_so(lab, tmp_path):
    with pytest.raises(ExecutorError, match="choose another --listen"):
        RemoteExecutor(PROGRAM, 1, door=door(tmp_path / "b", lab.address)).__enter__()
    with pytest.raises(ExecutorError, match="give HOST:PORT"):
        RemoteExecutor(PROGRAM, 1, door=door(tmp_path / "c", "nowhere")).__enter__()


def test_the_code_of_an_arena_travels_to_a_worker_that_does_not_have_it(tmp_path, workers, monkeypatch):
    package = tmp_path / "lab-side"
    package.mkdir()
    (package / "travelling_program.py").write_text(
        "from novum.core.model.trial import TrialOutput\n"
        "def run(group):\n    return [TrialOutput(one.id, b'it travelled') for one in group.trials]\n"
    )
    monkeypatch.syspath_prepend(str(package))
    with RemoteExecutor("travelling_program", 1, door=door(tmp_path)) as lab:
        lab.submit(group("g"))
        cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        workers.append(worker(lab.address, door(tmp_path).credentials.token, environment=cache))
        (done,) = results(lab, 1)
        assert done.outputs[0].artefact == b"it travelled"
    assert [one.name for one in Path(tmp_path / "cache").rglob("*.py")] == ["travelling_program.py"]
