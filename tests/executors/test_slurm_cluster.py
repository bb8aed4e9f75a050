"""The executor on a Slurm of one node, where Slurm is installed: jobs run, are cancelled, killed and replaced."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
import slurm_cluster
from dialled_in import door, until

from novum.core.model.trial import OutcomeKind
from novum.executors.slurm.job_options import JobOptions
from novum.executors.slurm.slurm_executor import SlurmExecutor

pytest.importorskip("submitit")
pytestmark = pytest.mark.skipif(not slurm_cluster.installed(), reason="needs slurmctld, slurmd, slurm-client and munge")

DOUBLES = "novum.testing.fault_injection"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with (
        slurm_cluster.cluster(tmp_path_factory.mktemp("cluster")) as configuration,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SLURM_CONF", configuration)
        yield


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def place(site, lab):
    jobs = JobOptions(jobs=2, cpus=2, address="127.0.0.1", time="10m", setup=("echo set up on $(hostname)",))
    with SlurmExecutor(DOUBLES, 1, door=door(lab), jobs=jobs) as running:
        yield running
    assert queue() == []


def queue():
    """Jobs that wait or run; those that are just being ended are not asked for."""
    asked = ["squeue", "--noheader", "--array", "--format=%i", "--states=PENDING,RUNNING"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def job(machine):
    return machine.split("-")[1]


def cancel(name):
    """As Slurm does at a time limit and in favour of others: SIGTERM to all processes, SIGKILL a while later."""
    subprocess.run(["scancel", name], check=True)


def kill(name):
    """As with a node that has run out of memory."""
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"slurm-{name}" in (one / "cmdline").read_text().split("\0"):
                os.kill(int(one.name), signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (cancel, "it was ended there by SIGTERM"),
        (kill, "its job {job} has ended"),
    ],
)
def test_a_job_that_slurm_ends_gives_back_its_groups_and_is_replaced(place, make, finish, lab, how, reason):
    until(lambda: len(place.machines) == 2)
    first, before = set(place.machines), queue()
    for _ in range(place.slots):
        place.submit(make("sleep", seconds=3))
    time.sleep(0.5)
    ended = min(first)
    how(job(ended))
    place.submit(make("echo"))
    results = []
    until(lambda: results.extend(place.collect(0.2)) or len(results) == 7)
    lost = [one for one in results if one.outputs[0].failure is OutcomeKind.LOST]
    assert ({one.machine.id for one in lost}, len(lost)) == ({ended}, 3)
    assert place.why_gone(ended) == reason.format(job=job(ended))
    place.submit(make("sleep", seconds=8))
    until(lambda: len(place.machines) == 2)
    (new,) = set(place.machines) - first
    assert job(new) not in before
    until(lambda: place.collect(0.2))
    logs = list((lab / "slurm").glob("*_log.out"))
    assert all("set up on" in one.read_text() for one in logs)


def test_the_job_script_has_what_was_asked_for_and_not_the_token(place, lab):
    script = (lab / "slurm" / "1_submission.sh").read_text()
    for words in (
        "--time=10",
        "--cpus-per-task=2",
        "--no-requeue",
        "--signal=TERM@30",
        "--array=0-1%2",
        "--job-name=novum",
    ):
        assert words in script
    assert (lab / "slurm" / "token").read_text() not in script
