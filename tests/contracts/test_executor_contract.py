"""What every executor promises, held against every variant."""

from importlib.util import find_spec

import pytest
from dialled_in import DialledIn

from novum.executors.ray_cluster.ray_executor import RayExecutor
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


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'novum[ray]'")
class TestRay(ExecutorContract):
    executor = "ray"

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls):
        """One for all of them, since a cluster takes seconds to start."""
        with RayExecutor(DOUBLES, cls.workers) as running:
            yield running
