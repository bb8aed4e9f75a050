"""What every executor promises, as a suite of tests for authors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from novum.core.model.candidate import Candidate
from novum.core.model.ports import Executor
from novum.core.model.trial import GroupResult, OutcomeKind, Trial, TrialGroup
from novum.registry import Kind
from novum.testing.part_under_test import hold, target

DOUBLES = "novum.testing.fault_injection"
PATIENCE = 30.0
"""Seconds until groups that do not come back count as lost."""

_FAILURES = [
    ("shout", OutcomeKind.CRASHED, "ValueError: boom"),
    ("exit_loudly", OutcomeKind.CRASHED, "SystemExit: 3"),
    ("memory_error", OutcomeKind.OUT_OF_MEMORY, "allocate memory"),
    ("diverge", OutcomeKind.DIVERGED, "loss is nan"),
    ("nonsense", OutcomeKind.INVALID, "not a sequence of outputs"),
    ("wrong_ids", OutcomeKind.INVALID, "expected an output for trial g/1"),
    ("infinite_fact", OutcomeKind.INVALID, "not a finite number"),
    ("claim_lost", OutcomeKind.INVALID, "which it cannot know"),
    ("huge", OutcomeKind.INVALID, "the limit is"),
]


class ExecutorContract:
    """Derive a class `Test...` from it and name your executor."""

    executor: ClassVar[Any] = None
    """"package.module:Class" as in a study, or the class; it is called with the name of a worker program and a number
    of workers, and entered as a context manager."""
    workers: ClassVar[int] = 1
    slowest: ClassVar[float] = 2.0
    """Wall seconds that a group of three short trials may take, the way to a remote machine included."""

    @pytest.fixture
    def place(self) -> Iterator[Executor]:
        """The executor with a program that misbehaves on request, open."""
        kind = target(Kind.EXECUTOR, self.executor)
        hold(kind is not None, 'say what to hold to the contract: executor = "package.module:Class", or the class')
        with kind(DOUBLES, self.workers) as running:
            yield running

    def test_there_is_at_least_one_slot(self, place: Executor) -> None:
        hold(place.slots >= 1, f"slots is {place.slots}: say how many groups are worth having in flight, at least one")

    def test_each_group_comes_back_exactly_once(self, place: Executor) -> None:
        groups = [_group(f"g{number}") for number in range(12)]
        results = _run(place, *groups)
        same = {name: result.group for name, result in results.items()} == {one.id: one for one in groups}
        hold(same, "GroupResult.group has to be the very group that was submitted")
        hold(list(place.collect(0.05)) == [], "collect gives a group again: each comes back exactly once")

    def test_outputs_match_the_trials_in_order(self, place: Executor) -> None:
        submitted = _group("g", seeds=(5, 3, 9, 1))
        outputs = _run(place, submitted)["g"].outputs
        hold(
            [output.trial_id for output in outputs] == [trial.id for trial in submitted.trials],
            "GroupResult.outputs has one output per trial, in the order of group.trials",
        )
        good = all(output.failure is None and len(output.artefact or b"") == 16 for output in outputs)
        hold(good, "artefacts have to come through as the program delivered them")

    def test_the_same_seed_gives_the_same_artefact(self, place: Executor) -> None:
        results = _run(place, _group("a", seeds=(7, 8)), _group("b", seeds=(8, 7)))
        first, second = ([one.artefact for one in results[name].outputs] for name in "ab")
        hold(first == second[::-1] and first[0] != first[1], "seeds have to reach the program as they are")

    @pytest.mark.parametrize(("act", "kind", "words"), _FAILURES)
    def test_a_failure_is_an_output_for_every_trial(
        self, place: Executor, act: str, kind: OutcomeKind, words: str
    ) -> None:
        results = _run(place, _group("g", act), _group("after"))
        outputs = results["g"].outputs
        hold(
            [(one.failure, one.artefact) for one in outputs] == [(kind, None)] * 3,
            f"a program that does {act!r} gives {[one.failure for one in outputs]} and not {kind} for each trial: pass "
            "what it returns through novum.executors.output_checks.checked, and what it raises through classify",
        )
        causes = [one.cause for one in outputs]
        hold(all(words in cause for cause in causes), f"the cause of {act!r} does not say {words!r}: {causes[0]!r}")
        hold(
            all(one.failure is None for one in results["after"].outputs), f"after {act!r} the next group fails as well"
        )

    def test_an_empty_collect_returns_after_the_timeout(self, place: Executor) -> None:
        before = time.monotonic()
        hold(list(place.collect(0.2)) == [], "collect gives a group that nobody submitted")
        took = time.monotonic() - before
        hold(0.19 <= took < 1.0, f"collect(0.2) returned after {took:.2f} s: wait for the timeout, and no longer")

    def test_usage_is_measured(self, place: Executor) -> None:
        usage = _run(place, _group("g", "sleep"))["g"].usage
        hold(
            0 < usage.cpu_seconds < 0.2 <= usage.wall_seconds < self.slowest,
            f"a group that sleeps for 0.2 s used {usage}: measure CPU and wall seconds in the parent",
        )
        hold(0 < usage.peak_bytes < 2 << 30, f"peak_bytes is {usage.peak_bytes}: measure resident bytes")

    def test_a_group_without_trials_comes_back_empty(self, place: Executor) -> None:
        hold(_run(place, _group("g", seeds=()))["g"].outputs == (), "a group without trials has no outputs")


def _group(name: str, act: str = "echo", seeds: tuple[int, ...] = (1, 2, 3)) -> TrialGroup:
    return TrialGroup(name, Candidate({"act": act}), tuple(Trial(f"{name}/{seed}", seed) for seed in seeds))


def _run(place: Executor, *groups: TrialGroup) -> dict[str, GroupResult]:
    for each in groups:
        place.submit(each)
    results: list[GroupResult] = []
    until = time.monotonic() + PATIENCE
    while len(results) < len(groups) and time.monotonic() < until:
        results += place.collect(1.0)
    names = sorted(result.group.id for result in results)
    hold(
        names == sorted(each.id for each in groups),
        f"of the groups {[each.id for each in groups]} there came back {names} within {PATIENCE:g} s",
    )
    return {result.group.id: result for result in results}
