import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novum.core.model.candidate import Candidate, Scalar
from novum.core.model.trial import GroupResult, Limits, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor

DOUBLES = "novum.testing.fault_injection"
SMALL = Limits(seconds=10.0, memory_bytes=200 << 20, processes=8, file_bytes=1 << 20)

MakeGroup = Callable[..., TrialGroup]
RunGroups = Callable[..., list[GroupResult]]


@pytest.fixture
def make() -> MakeGroup:
    counter = iter(range(1000))

    def make_group(act: str, limits: Limits = SMALL, trials: int = 2, **genes: Scalar) -> TrialGroup:
        name = f"g{next(counter)}"
        members = tuple(Trial(f"{name}/{seed}", seed) for seed in range(trials))
        return TrialGroup(name, Candidate({"act": act, **genes}), members, limits=limits)

    return make_group


@pytest.fixture
def finish() -> RunGroups:
    def finish_groups(executor: LocalExecutor, *groups: TrialGroup, within: float = 30.0) -> list[GroupResult]:
        for group in groups:
            executor.submit(group)
        results: list[GroupResult] = []
        until = time.monotonic() + within
        while len(results) < len(groups) and time.monotonic() < until:
            results += executor.collect(0.5)
        assert len(results) == len(groups), "groups did not come back in time"
        return results

    return finish_groups


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(DOUBLES, workers=1) as made:
        yield made


def with_environment(marker: str) -> list[int]:
    """Live processes whose environment holds `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                found += [] if state == "Z" else [int(entry.name)]
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def below(pid: int) -> list[int]:
    """Children of `pid`."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def probes() -> tuple[Callable[[str], list[int]], Callable[[int], list[int]], Callable[..., bool]]:
    return with_environment, below, wait_until
