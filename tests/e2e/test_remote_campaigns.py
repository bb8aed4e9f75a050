"""A campaign on machines that dial in has the verdicts of any other, and a lab that dies goes on from its record."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from dialled_in import ended, until, worker
from labs import coin_study

from novum import verify
from novum.core.events.machines import GroupRan, MachineJoined
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.study import FollowUpSettings, ScreeningSettings
from novum.core.model.trial import OutcomeKind
from novum.executors.remote.credentials import LabCredentials
from novum.lab.restore import read_lab
from novum.lab.session import session
from novum.ledger.journal import Reader
from novum.researchers.scripted import ScriptedResearcher


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def records(directory):
    with Reader(directory) as reader:
        return [one.event for one in reader.read()]


def trials(directory):
    return sum(isinstance(one, TrialFinished) for one in records(directory)) if (directory / "lab.db").exists() else 0


def verdicts(directory):
    state = read_lab(directory)
    return [
        (one.candidate.id, one.verdict.verdict, one.verdict.pairs) for one in state.hypotheses.values() if one.verdict
    ]


def test_a_campaign_on_another_machine_has_the_verdicts_that_it_has_here(tmp_path):
    study = coin_study(
        screening=ScreeningSettings(keep_one_in=1, waiting=1), follow_up=FollowUpSettings(share=0.0), executor="inline"
    )
    script = ({"edge": 5}, {"shade": 3}, {"edge": 2, "shade": 9})
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lab.secret").write_text("5e" * 32)
        listen = f"127.0.0.1:{free_port()}" if name == "there" else ""
        process = None
        if listen:
            process = worker(listen, LabCredentials(tmp_path / name).token)
        researcher = ScriptedResearcher(script)
        with session(study, Budget(trials=400), tmp_path / name, researcher=researcher, listen=listen) as lab:
            lab.run()
        if process:
            output, status = ended(process)
            assert (status, "ended its session" in output) == (0, True)
    assert verdicts(tmp_path / "here") == verdicts(tmp_path / "there") != []
    assert verify(tmp_path / "there").ok
    ran = [one for one in records(tmp_path / "there") if isinstance(one, GroupRan)]
    finished = [one for one in records(tmp_path / "there") if isinstance(one, TrialFinished)]
    assert {one.group for one in ran} == {one.group for one in finished}


@pytest.mark.slow
def test_a_lab_that_is_killed_goes_on_with_the_machines_that_it_had(tmp_path):
    directory, port = tmp_path / "lab", free_port()
    command = [sys.executable, "-m", "novum.cli", "run", "coinflip", "--lab", str(directory), "--budget", "500 trials"]
    command += ["--listen", f"127.0.0.1:{port}", "--plain"]

    def begun():
        return subprocess.Popen(command, env={**os.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    process = worker(f"127.0.0.1:{port}", LabCredentials(directory).token, slots=2, give_up=60.0)
    first = begun()
    until(lambda: trials(directory) > 60, 60.0)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    before = trials(directory)
    again = time.monotonic()
    second = begun()
    until(lambda: trials(directory) > before, 30.0)
    assert time.monotonic() - again < 15.0
    _, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    output, status = ended(process)
    assert status == 0, output
    assert output.count("works for the lab") >= 2
    state = read_lab(directory)
    assert verify(directory).ok
    assert state.spent.trials >= 500 - 20
    assert not state.outcomes[OutcomeKind.LOST]
    joined = [one for one in records(directory) if isinstance(one, MachineJoined)]
    assert len({one.machine.id for one in joined}) == 1
    assert len({one.kind for one in joined}) == 1
