"""What every executor promises, held against every variant."""

from dialled_in import DialledIn

from novum.testing import ExecutorContract


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
