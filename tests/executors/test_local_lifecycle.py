"""Servers come, go, are killed and hang; nothing stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import Limits, OutcomeKind
from novum.executors.local import slot as slot_module
from novum.executors.local.executor import LocalExecutor

DOUBLES = "novum.testing.fault_injection"
PATIENT = Limits(seconds=30.0)
SOON = 5.0
"""Seconds; what stays behind would stay for longer."""


def server_of(executor):
    return executor._slots[0].pid


def runs(pid):
    """Whether a process lives; a zombie that a container's init does not collect does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_child(executor, probes):
    _, below, wait_until = probes
    until = time.monotonic() + 10
    while not (executor._slots and executor._slots[0].group) and time.monotonic() < until:
        assert executor.collect(0.02) == []
    assert wait_until(lambda: below(server_of(executor)), 5)
    return below(server_of(executor))[0]


def test_a_killed_server_loses_its_group_and_work_continues(executor, make, finish, probes):
    executor.submit(make("hang", PATIENT))
    child = wait_for_child(executor, probes)
    os.kill(server_of(executor), signal.SIGKILL)
    (lost,) = executor.collect(5)
    assert [one.failure for one in lost.outputs] == [OutcomeKind.LOST, OutcomeKind.LOST]
    assert "killed by SIGKILL" in lost.outputs[0].cause
    assert probes[2](lambda: not runs(child), SOON)
    assert finish(executor, make("echo"))[0].outputs[0].failure is None


def test_a_killed_server_takes_its_daemons_along(executor, make, probes, tmp_path):
    note = tmp_path / "daemon"
    executor.submit(make("daemon", PATIENT, file=str(note), stay=1))
    wait_for_child(executor, probes)
    assert probes[2](lambda: note.exists() and note.read_text(), 5)
    os.kill(server_of(executor), signal.SIGKILL)
    (lost,) = executor.collect(5)
    assert lost.outputs[0].failure is OutcomeKind.LOST
    assert probes[2](lambda: not runs(int(note.read_text())), SOON)


def test_a_program_that_kills_its_server_is_lost(executor, make, finish):
    results = {one.group.candidate.genome["act"]: one for one in finish(executor, make("kill_server"), make("echo"))}
    assert results["kill_server"].outputs[0].failure is OutcomeKind.LOST
    assert results["echo"].outputs[0].failure is None


def test_a_hanging_server_loses_its_group(executor, make, finish, probes, monkeypatch):
    monkeypatch.setattr(slot_module, "GRACE_SECONDS", 0.5)
    finish(executor, make("echo"))
    os.kill(server_of(executor), signal.SIGSTOP)
    before = time.monotonic()
    lost, after = finish(executor, make("echo", Limits(seconds=0.5)), make("echo"))
    assert time.monotonic() - before < 10
    assert lost.outputs[0].failure is OutcomeKind.LOST
    assert "did not answer in time" in lost.outputs[0].cause
    assert after.outputs[0].failure is None


@pytest.mark.alone
def test_a_lab_that_was_away_does_not_lose_a_finished_group(executor, make, monkeypatch):
    monkeypatch.setattr(slot_module, "GRACE_SECONDS", 0.1)
    assert executor.collect(0) == []
    executor.submit(make("echo", Limits(seconds=0.2)))
    while not executor.collect(1):
        pass
    executor.submit(make("echo", Limits(seconds=0.2)))
    time.sleep(0.6)
    (result,) = executor.collect(0)
    assert result.outputs[0].failure is None


def test_an_idle_server_that_dies_is_replaced(executor, make, finish):
    finish(executor, make("echo"))
    os.kill(server_of(executor), signal.SIGKILL)
    time.sleep(0.05)
    results = finish(executor, make("echo"), make("echo"))
    assert [one.outputs[0].failure for one in results] == [None, None]


@pytest.mark.alone
def test_two_workers_work_at_the_same_time(make, finish):
    with LocalExecutor(DOUBLES, workers=2) as executor:
        finish(executor, make("sleep", seconds=0.01), make("sleep", seconds=0.01))
        first, second = (
            one.outputs[0].facts for one in finish(executor, make("sleep", seconds=0.5), make("sleep", seconds=0.5))
        )
    assert max(first["start"], second["start"]) < min(first["end"], second["end"]) - 0.2


def test_one_slot_that_hangs_does_not_hold_up_the_other(make, finish):
    with LocalExecutor(DOUBLES, workers=2) as executor:
        executor.submit(make("hang", PATIENT))
        assert len(finish(executor, *[make("echo") for _ in range(5)], within=20)) == 5


@pytest.mark.alone
def test_leaving_the_context_ends_everything_within_a_second(make, probes):
    with LocalExecutor(DOUBLES, workers=2) as executor:
        for _ in range(3):
            executor.submit(make("daemon", PATIENT, stay=1))
        wait_for_child(executor, probes)
        tokens = [f"NOVUM_WORKER={slot.token}" for slot in executor._slots]
        assert all(probes[0](token) for token in tokens)
        before = time.monotonic()
    assert time.monotonic() - before < 4  # a second, and slack for a loaded machine
    assert not any(probes[0](token) for token in tokens)
    executor.close()
    with pytest.raises(ExecutorError, match="closed"):
        executor.submit(make("echo"))
    with pytest.raises(ExecutorError, match="closed"):
        executor.collect(0)


def test_an_exception_ends_everything(make, probes):
    tokens = []

    def leave():
        with LocalExecutor(DOUBLES, workers=1) as executor:
            executor.submit(make("hang", PATIENT))
            wait_for_child(executor, probes)
            tokens.append(executor._slots[0].token)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert probes[0](f"NOVUM_WORKER={tokens[0]}") == []


def test_servers_start_lazily_and_not_more_than_needed(make, finish):
    with LocalExecutor(DOUBLES, workers=8) as executor:
        assert executor._slots == []
        finish(executor, make("echo"))
        assert len(executor._slots) == 1


LAB = """
import signal, sys, time
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Limits, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started the tests without it
with LocalExecutor("novum.testing.fault_injection", workers=2) as executor:
    for number in range(2):
        genome = {"act": "daemon", "stay": 1, "file": f"{sys.argv[1]}{number}"}
        executor.submit(TrialGroup(f"g{number}", Candidate(genome), (Trial("t", 0),), limits=Limits(seconds=60)))
    while True:
        executor.collect(1)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphans_when_the_lab_is_killed(number, probes, tmp_path):
    with_environment, _, wait_until = probes
    note = tmp_path / "daemon"
    # LC_ passes the scrubbing, so that every process below the lab carries the mark.
    marker = f"LC_TEST_MARK=novum-{os.getpid()}-{time.monotonic_ns()}"
    environment = dict(os.environ, **dict([marker.split("=")]))
    with subprocess.Popen([sys.executable, "-c", LAB, str(note)], env=environment, stderr=subprocess.DEVNULL) as lab:
        daemons = [Path(f"{note}{index}") for index in range(2)]
        assert wait_until(lambda: all(one.exists() and one.read_text() for one in daemons), 15)
        assert len(with_environment(marker)) == 7  # lab, and twice: server, child, daemon
        lab.send_signal(number)
        lab.wait(30)
        assert wait_until(lambda: not with_environment(marker), SOON)


def test_no_orphan_when_the_lab_is_killed_while_a_server_warms_up(probes, tmp_path):
    with_environment, _, wait_until = probes
    (tmp_path / "slow_start.py").write_text("import time\nprint('warming')\ntime.sleep(60)\n")
    marker = f"LC_TEST_MARK=novum-{os.getpid()}-{time.monotonic_ns()}"
    environment = dict(os.environ, PYTHONPATH=str(tmp_path), **dict([marker.split("=")]))
    script = LAB.replace("novum.testing.fault_injection", "slow_start")
    with subprocess.Popen([sys.executable, "-c", script, "x"], env=environment) as lab:
        assert wait_until(lambda: len(with_environment(marker)) == 3, 10)
        time.sleep(0.2)
        lab.kill()
        lab.wait(30)
        assert wait_until(lambda: not with_environment(marker), SOON)


def test_a_server_outlives_the_thread_that_started_it(executor, make, finish):
    thread = threading.Thread(target=lambda: finish(executor, make("echo")))
    thread.start()
    thread.join()
    pid = server_of(executor)
    time.sleep(0.05)
    finish(executor, make("echo"))
    assert server_of(executor) == pid
