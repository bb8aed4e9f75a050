"""Jobs come, are killed, preempted and never join; the lab goes on, says why not, and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dialled_in import until
from labs import coin_study

from novum import verify
from novum.core.model.budget import Budget
from novum.core.model.errors import ExecutorError
from novum.core.model.study import FollowUpSettings, ScreeningSettings
from novum.core.model.trial import OutcomeKind
from novum.lab.machine_supply import Machines
from novum.lab.restore import read_lab
from novum.lab.session import session
from novum.researchers.scripted import ScriptedResearcher

pytest.importorskip("submitit")

from slurm_jobs import LocalJobs, runs

DOUBLES = "novum.testing.fault_injection"
HERE = {"cluster": "local", "address": "127.0.0.1", "time": "5m"}


@pytest.fixture(scope="module")
def place():
    with LocalJobs(DOUBLES, 1) as made:
        yield made


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, "its job {job} has ended"), (signal.SIGTERM, "it was ended there by SIGTERM")],
)
def test_groups_of_a_job_that_ends_come_back_once_and_run_on_the_next(place, make, finish, number, reason):
    finish(place, make("echo"))
    (machine,), (job,) = place.machines, place.jobs
    place.submit(make("sleep", seconds=60))
    until(lambda: place.busy)
    os.kill(place.worker(job), number)
    (lost,) = place.collect(5.0)
    assert {one.failure for one in lost.outputs} == {OutcomeKind.LOST}
    assert place.why_gone(machine) == reason.format(job=job)
    (ran,) = finish(place, make("echo"))
    assert {one.failure for one in ran.outputs} == {None}
    assert place.collect(0.2) == []
    assert [job] != place.jobs and len(place.jobs) == 1


def test_jobs_that_never_join_end_the_session_with_their_log(make, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'module: command not found'\nexit 3\n")
    broken.chmod(0o755)
    with LocalJobs(DOUBLES, 3, python=str(broken)) as place:
        place.submit(make("echo"))
        with pytest.raises(ExecutorError, match="3 jobs in a row ended before they had joined") as caught:
            until(lambda: place.collect(0.2))
        assert "module: command not found" in str(caught.value)
        assert "`setup` and `python`" in str(caught.value)


def test_the_token_is_in_a_file_of_its_owner_and_nowhere_else(place):
    token = place.folder / "token"
    said = token.read_text()
    assert (token.stat().st_mode & 0o777, place.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    others = [one for one in place.folder.iterdir() if one != token]
    assert others
    for one in others:
        assert said.encode() not in one.read_bytes()
    commands = [Path(f"/proc/{job}/cmdline").read_bytes() for job in (*place.jobs, place.worker(place.jobs[0]))]
    assert all(said.encode() not in one for one in commands)


def test_another_token_is_handed_to_jobs_that_start_later(place):
    before = (place.folder / "token").read_text()
    place.door.credentials.renew()
    until(lambda: (place.folder / "token").read_text() == str(place.door.credentials.token) != before)


def verdicts(directory):
    found = read_lab(directory).hypotheses.values()
    return [(one.candidate.id, one.verdict.verdict, one.verdict.e_value) for one in found if one.verdict]


def test_a_campaign_has_the_verdicts_that_it_has_in_the_labs_process(tmp_path):
    study = coin_study(
        screening=ScreeningSettings(keep_one_in=1, waiting=1), follow_up=FollowUpSettings(share=0.0), executor="inline"
    )
    script = ({"edge": 5}, {"shade": 3}, {"edge": 2, "shade": 9})
    for name, machines in (("here", None), ("jobs", Machines("slurm", {**HERE, "cpus": 2}))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lab.secret").write_text("5e" * 32)
        with session(
            study, Budget(trials=400), tmp_path / name, researcher=ScriptedResearcher(script), machines=machines
        ) as lab:
            lab.run()
    assert verdicts(tmp_path / "here") == verdicts(tmp_path / "jobs") != []
    assert verify(tmp_path / "jobs").ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_lab(tmp_path, number):
    """Ctrl-C, twice, cancels the jobs; after SIGKILL they end by themselves."""
    site = tmp_path / "site.toml"
    site.write_text("[slurm]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in HERE.items()))
    with site.open("a") as file:
        file.write("\ngive_up = 1.0\n")
    command = [
        sys.executable,
        "-m",
        "novum.cli",
        "run",
        "coinflip",
        "--budget",
        "1h",
        "--machines",
        str(site),
        "--force",
    ]
    lab = subprocess.Popen(
        [*command, "--lab", str(tmp_path / "lab")], stdout=subprocess.DEVNULL, start_new_session=True
    )
    logs = tmp_path / "lab" / "slurm"
    until(lambda: any("works for the lab" in one.read_text() for one in logs.glob("*_log.out")))
    (job,) = [int(one.name.partition("_")[0]) for one in logs.glob("*_log.out")]
    assert runs(job)
    lab.send_signal(number)
    if number == signal.SIGINT:
        time.sleep(0.5)
        lab.send_signal(number)
    lab.wait(20)
    until(lambda: not runs(job), 15.0)
    assert (logs / "token").exists() == (number == signal.SIGKILL)
