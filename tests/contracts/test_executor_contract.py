"""What every executor promises, held against every variant."""

import pytest
from dialled_in import DialledIn

from novum.testing import ExecutorContract
from novum.testing.executor_contract import DOUBLES


class TestInline(ExecutorContract):
    executor = "inline"


class TestOneLocalWorker(ExecutorContract):
    executor = "local"


class TestTwoLocalWorkers(ExecutorContract):
    executor = "local"
    workers = 2


class TestMachineThatDialsIn(ExecutorContract):
    executor = DialledIn
    slowest = 5.0


@pytest.fixture(scope="module")
def started():
    """Jobs for all tests of a class: a start takes seconds."""
    pytest.importorskip("submitit")
    from slurm_jobs import LocalJobs

    with LocalJobs(DOUBLES, 1) as running:
        yield running


class TestSlurmJobsOnThisMachine(ExecutorContract):
    executor = "slurm"
    slowest = 5.0

    @pytest.fixture
    def place(self, started):
        return started
