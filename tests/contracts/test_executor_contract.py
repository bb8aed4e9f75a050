"""What every executor promises, held against every variant."""

import time
from collections.abc import Callable, Iterator

import pytest

from novum.core.model.candidate import Candidate
from novum.core.model.ports import Executor
from novum.core.model.trial import GroupResult, OutcomeKind, Trial, TrialGroup
from novum.executors.inline import InlineExecutor
from novum.executors.local.executor import LocalExecutor

DOUBLES = "novum.testing.fault_injection"


@pytest.fixture(params=["inline", "local-1", "local-2"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    variants: dict[str, Callable[[], InlineExecutor | LocalExecutor]] = {
        "inline": lambda: InlineExecutor(DOUBLES),
        "local-1": lambda: LocalExecutor(DOUBLES, workers=1),
        "local-2": lambda: LocalExecutor(DOUBLES, workers=2),
    }
    with variants[request.param]() as made:
        yield made


def group(name: str, act: str = "echo", seeds: tuple[int, ...] = (1, 2, 3)) -> TrialGroup:
    return TrialGroup(name, Candidate({"act": act}), tuple(Trial(f"{name}/{seed}", seed) for seed in seeds))


def run(executor: Executor, *groups: TrialGroup) -> dict[str, GroupResult]:
    for each in groups:
        executor.submit(each)
    results: list[GroupResult] = []
    until = time.monotonic() + 30
    while len(results) < len(groups) and time.monotonic() < until:
        results += executor.collect(1.0)
    assert sorted(result.group.id for result in results) == sorted(each.id for each in groups)
    return {result.group.id: result for result in results}


def test_there_is_at_least_one_slot(executor: Executor) -> None:
    assert executor.slots >= 1


def test_each_group_comes_back_exactly_once(executor: Executor) -> None:
    groups = [group(f"g{number}") for number in range(12)]
    assert {name: result.group for name, result in run(executor, *groups).items()} == {one.id: one for one in groups}
    assert executor.collect(0.05) == []


def test_deliveries_match_the_trials_in_order(executor: Executor) -> None:
    submitted = group("g", seeds=(5, 3, 9, 1))
    outputs = run(executor, submitted)["g"].outputs
    assert [output.trial_id for output in outputs] == [trial.id for trial in submitted.trials]
    assert all(output.failure is None and len(output.artefact or b"") == 16 for output in outputs)


def test_the_same_seed_gives_the_same_artefact(executor: Executor) -> None:
    results = run(executor, group("a", seeds=(7, 8)), group("b", seeds=(8, 7)))
    first, second = ([one.artefact for one in results[name].outputs] for name in "ab")
    assert first == second[::-1]
    assert first[0] != first[1]


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        ("shout", OutcomeKind.CRASHED, "ValueError: boom"),
        ("exit_loudly", OutcomeKind.CRASHED, "SystemExit: 3"),
        ("memory_error", OutcomeKind.OUT_OF_MEMORY, "allocate memory"),
        ("diverge", OutcomeKind.DIVERGED, "loss is nan"),
        ("nonsense", OutcomeKind.INVALID, "not a sequence of deliveries"),
        ("wrong_ids", OutcomeKind.INVALID, "expected a delivery for trial g/1"),
        ("infinite_fact", OutcomeKind.INVALID, "not a finite number"),
        ("claim_lost", OutcomeKind.INVALID, "which it cannot know"),
        ("huge", OutcomeKind.INVALID, "the limit is"),
    ],
)
def test_a_failure_is_a_delivery_for_every_trial(executor: Executor, act: str, kind: OutcomeKind, words: str) -> None:
    results = run(executor, group("g", act), group("after"))
    assert [(one.failure, one.artefact) for one in results["g"].outputs] == [(kind, None)] * 3
    assert all(words in one.cause for one in results["g"].outputs)
    assert all(one.failure is None for one in results["after"].outputs)


def test_an_empty_collect_returns_after_the_timeout(executor: Executor) -> None:
    before = time.monotonic()
    assert executor.collect(0.2) == []
    assert 0.19 <= time.monotonic() - before < 1.0


def test_usage_is_measured(executor: Executor) -> None:
    usage = run(executor, group("g", "sleep"))["g"].usage
    assert 0 < usage.cpu_seconds < 0.2 <= usage.wall_seconds < 2.0
    assert 0 < usage.peak_bytes < 2 << 30


def test_a_group_without_trials_comes_back_empty(executor: Executor) -> None:
    assert run(executor, group("g", seeds=()))["g"].outputs == ()
