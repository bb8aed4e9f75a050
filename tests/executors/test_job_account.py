"""What is asked of a site, and how many jobs to submit when: without any site."""

import re
from pathlib import Path

import pytest

from novum.core.model.errors import StudyError
from novum.executors.slurm.job_account import LONGEST_WAIT_SECONDS, SHORT_SECONDS, JobAccount
from novum.executors.slurm.job_options import JobOptions
from novum.executors.slurm.worker_job import job_of
from novum.lab.machine_supply import read_machines, site
from novum.registry import Kind, find

PAGE = Path(__file__).parents[2] / "docs/machines.md"


def test_a_job_that_was_at_work_is_replaced_at_once():
    account = JobAccount(2)
    account.submitted(["1", "2"])
    account.joined({"1", "2"}, 10.0)
    assert account.ended({"2"}, 10.0 + SHORT_SECONDS, busy=True) == ["1"]
    assert (account.lacking(10.0 + SHORT_SECONDS), account.failed_starts) == (1, 0)


def test_waits_grow_while_jobs_end_too_soon_and_have_a_bound():
    account, now, waits = JobAccount(1), 0.0, []
    for name in map(str, range(12)):
        account.submitted([name])
        account.joined({name}, now)
        account.ended(set(), now, busy=True)
        before = now
        while not account.lacking(now):
            now += 1.0
        waits.append(now - before)
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert not account.hopeless


def test_three_failed_starts_in_a_row_are_hopeless_and_one_that_joins_begins_anew():
    account = JobAccount(3)
    account.submitted(["1", "2", "3"])
    account.ended({"3"}, 0.0, busy=True)
    account.joined({"3"}, 1.0)
    assert account.failed_starts == 0
    account.submitted(["4", "5"])
    account.ended({"3"}, 2.0, busy=True)
    account.refused(3.0)
    assert account.hopeless


def test_nobody_is_blamed_for_not_joining_while_there_is_no_work():
    account = JobAccount(5)
    account.submitted(list("12345"))
    account.ended(set(), 0.0, busy=False)
    assert not account.hopeless


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": "4 hours"}, "slurm.time: cannot be '4 hours'; write such as 30m, 4h or 2d"),
        ({"time": "0h"}, "slurm.time"),
        ({"address": "login1:"}, "slurm.address"),
        ({"address": "login1:99999"}, "slurm.address"),
        ({"more": {"signal": "USR1@60"}}, "slurm.more: 'signal' is set by the executor itself"),
    ],
)
def test_options_that_mean_nothing_are_refused(changes, words):
    with pytest.raises(StudyError) as caught:
        JobOptions(**changes)
    assert words in str(caught.value)


def test_nodes_are_told_an_address_that_leads_to_the_lab():
    assert JobOptions().listen == "0.0.0.0:0"
    assert JobOptions(address="login1:7461").listen == "0.0.0.0:7461"
    assert JobOptions(address="login1").reached_at("0.0.0.0:40001") == "login1:40001"
    assert JobOptions().reached_at("10.0.0.5:40001") == "10.0.0.5:40001"
    assert not JobOptions().reached_at("0.0.0.0:40001").startswith("0.")


def test_the_job_of_a_machine_is_in_its_name():
    assert job_of("slurm-123_4-a1b2c3") == "123_4"
    assert job_of("desk-a1b2c3") == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it must hold one table that names an executor"),
        ("slurm = 3", "it must hold one table"),
        ("[slurm]\npartiton = 'x'", "slurm.partiton: unknown to the executor slurm; choose from jobs, cpus"),
        ("[slurm]\njobs = 0", "slurm.jobs: cannot be 0"),
        ("[slurm]\ntime = '4'", "slurm.time: cannot be '4'"),
        ("[local]\nworkers = 3", "local: this executor takes no options"),
        ("[slrm]", "there is no 'slrm'; choose from inline, local, ray, remote, slurm"),
        ("[slurm", "cannot be read"),
    ],
)
def test_a_machines_file_says_what_is_wrong_with_it(refused, tmp_path, text, words):
    path = tmp_path / "site.toml"
    path.write_text(text)
    said = refused("run", "coinflip", "--budget", "10 trials", "--lab", tmp_path / "lab", "--machines", path)
    assert f"--machines {path}: " in said and words in said
    assert not (tmp_path / "lab").exists()


def test_the_file_of_the_manual_says_what_the_manual_says(tmp_path):
    (text,) = re.findall(r"```toml\n# site\.toml\n(.*?)```", PAGE.read_text(), re.S)
    path = tmp_path / "site.toml"
    path.write_text(text)
    machines = read_machines(path)
    jobs = site(find(Kind.EXECUTOR, machines.executor, "executor"), machines)["jobs"]
    assert (jobs.jobs, jobs.trials, jobs.minutes, jobs.listen) == (8, 16, 240, "0.0.0.0:0")
    asked = jobs.asked_of_slurm
    assert (asked["partition"], asked["account"], asked["setup"][0]) == ("cpu", "my-project", "module load python/3.12")
    assert asked["additional_parameters"] == {"qos": "long", "no_requeue": True, "signal": "TERM@30"}
