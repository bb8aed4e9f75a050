"""A worker that is told to end says why, and what it held is given to others at once."""

import signal
import socket
import time

import pytest
from dialled_in import door, ended, until, worker

from novum.core.model.trial import OutcomeKind
from novum.executors.remote.credentials import LabCredentials
from novum.executors.remote.remote_executor import RemoteExecutor

DOUBLES = "novum.testing.fault_injection"
AT_ONCE = 5.0
"""Seconds; a machine that falls silent is given up after 20."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_groups_come_back_at_once_and_only_once(make, finish, tmp_path, number):
    with RemoteExecutor(DOUBLES, 1, door=door(tmp_path)) as lab:
        machine = worker(lab.address, LabCredentials(tmp_path).token)
        finish(lab, make("echo"))
        (name,) = lab.machines
        lab.submit(make("sleep", seconds=60))
        time.sleep(0.3)
        machine.send_signal(number)
        before = time.monotonic()
        (lost,) = lab.collect(AT_ONCE)
        assert time.monotonic() - before < AT_ONCE
        assert {one.failure for one in lost.outputs} == {OutcomeKind.LOST}
        assert lab.why_gone(name) == f"it was ended there by {number.name}"
        assert lab.collect(0.3) == []
        output, status = ended(machine)
        assert (output.splitlines()[-1], status) == (f"it was ended there by {number.name}", 0)


def test_while_it_dials_it_ends_as_well(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine = worker(f"127.0.0.1:{silent.getsockname()[1]}", LabCredentials(tmp_path).token)
        with silent.accept()[0]:
            machine.send_signal(signal.SIGTERM)
            output, status = ended(machine, AT_ONCE)
    assert (output.splitlines()[-1], status) == ("it was ended there by SIGTERM", 0)


def test_a_token_may_come_from_a_file_that_only_its_owner_reads(tmp_path, refused):
    path = tmp_path / "token"
    LabCredentials(tmp_path).write_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("novum-0")
    assert f"{path} holds no token" in refused("worker", "--connect", "127.0.0.1:9", "--token-file", path)
    assert "No such file" in refused("worker", "--connect", "127.0.0.1:9", "--token-file", tmp_path / "none")


def test_a_machine_joins_with_a_token_file(make, finish, tmp_path):
    path = tmp_path / "token"
    with RemoteExecutor(DOUBLES, 1, door=door(tmp_path)) as lab:
        LabCredentials(tmp_path).write_token(path)
        machine = worker(lab.address, "", arguments=("--token-file", str(path)))
        assert finish(lab, make("echo"))[0].outputs[0].failure is None
        machine.terminate()
        until(lambda: not lab.machines)
        ended(machine)
