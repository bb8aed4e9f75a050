"""What every arena promises, as a suite of tests for authors: its words, its space, its worker and its scorer."""

from __future__ import annotations

import importlib
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from novum.core.model.arena_spec import ArenaSpec, one_distribution, room, unfit
from novum.core.model.candidate import Candidate, Genome, Setting
from novum.core.model.errors import StudyError
from novum.core.model.metric import Score
from novum.core.model.ports import Arena
from novum.core.model.trial import ArtefactError, Role, Trial, TrialGroup, TrialOutput
from novum.executors.output_checks import NonsenseError, checked
from novum.ledger.codec import plain
from novum.registry import Kind
from novum.testing.part_under_test import hold, hold_unknown_option_named, made, target
from novum.text.canonical_json import canonical

SAMPLES, SPOILED, SEEDS = 200, 30, 4

_LAB_ONLY = ("agents", "api", "audit", "cli", "gate", "governance", "lab", "ledger", "mcp", "report", "views")

_IMPORT = """
import importlib, sys, threading
module = importlib.import_module(sys.argv[1])
getattr(module, "warm", lambda: None)()
print("threads", threading.active_count())
print("modules", *(name for name in sys.modules if name.startswith("novum.")))
"""


class ArenaContract:
    """Derive a class `Test...` from it and name your arena."""

    arena: ClassVar[Any] = None
    """"package.module:Class" as in a study, the class, or an object."""
    options: ClassVar[Setting] = {}
    """The study's options, chosen so that a trial is short."""
    wrong: ClassVar[Sequence[bytes]] = ()
    """Further artefacts that the scorer has to refuse."""

    @cached_property
    def problem(self) -> Arena:
        """The arena with the suite's options."""
        found: Arena = made(Kind.ARENA, self.arena, self.options)
        return found

    def group(self, seeds: int = 2, fidelity: float = 1.0) -> TrialGroup:
        """Trials of the baseline."""
        spec = self.problem.spec
        trials = tuple(Trial(f"t{n}", 1000 + n, spec.tuning[0]) for n in range(seeds))
        return TrialGroup("g", Candidate(self._baseline()), trials, self.options, fidelity)

    def outputs(self, group: TrialGroup) -> Sequence[TrialOutput]:
        """What the worker's side makes of a group, checked as an executor checks it."""
        for name in self.problem.spec.requires:
            pytest.importorskip(name)
        program = importlib.import_module(self.problem.spec.program)
        try:
            return checked(program.run(group), group)
        except NonsenseError as error:
            return pytest.fail(
                f"run(group) has to return one TrialOutput(trial.id, artefact=bytes) for each of group.trials, in "
                f"their order: {error}",
                pytrace=False,
            )

    def test_the_spec_says_what_a_campaign_needs(self) -> None:
        spec = self.problem.spec
        for name in ("name", "metric", "program"):
            hold(bool(getattr(spec, name)), f"spec.{name} is empty: say it in words")
        hold(bool(spec.tuning), "spec.tuning is empty: give ({},) when there is nothing to tune")
        hold(
            0 < spec.resolution < math.inf,
            f"spec.resolution is {spec.resolution}: give the smallest difference in the metric that means anything",
        )
        hold(spec.group_size >= 1, f"spec.group_size is {spec.group_size}: at least one trial shares a worker")
        if spec.floor is not None and spec.ceiling is not None:
            better = (spec.ceiling > spec.floor) is spec.higher_is_better
            hold(
                better, f"spec.ceiling, the metric of perfection, is not better than spec.floor ({spec.floor}), a guess"
            )

    def test_all_that_is_recorded_of_it_is_plain_data(self) -> None:
        spec = self.problem.spec
        try:
            again = TypeAdapter(ArenaSpec).validate_json(canonical(plain(spec)))
        except (TypeError, ValueError) as error:
            pytest.fail(f"the spec must hold str, int, float, bool and None only, not NaN: {error}", pytrace=False)
        hold(again == spec, "the spec comes back from the record changed: give tuples, and numbers of Python's own")

    def test_the_baseline_is_admitted_and_has_a_cost(self) -> None:
        baseline = self._baseline()
        hold(self.problem.space.validate(baseline) == baseline, "validate(validate(baseline)) changes it again")
        cost = self.problem.cost(baseline)
        for name in ("parameters", "state_floats", "flop"):
            known = getattr(cost, name)
            hold(0 <= known < math.inf, f"cost(baseline).{name} is {known}: it must be a number of at least 0")

    def test_a_genome_that_is_not_admitted_raises_a_study_error(self) -> None:
        said = self._refusal({"no such gene": 1})
        hold(isinstance(said, StudyError), f"space.validate of an unknown gene: raise StudyError, not {said!r}")
        hold(bool(str(said)), "StudyError without words: say which gene is wrong, and what is allowed")

    def test_the_normal_form_is_stable_and_a_mutation_changes_it(self) -> None:
        rng, space = random.Random(1), self.problem.space
        for _ in range(SAMPLES):
            genome = space.sample(rng)
            child = space.mutate(genome, rng)
            for one, where in ((genome, "sample"), (child, "mutate")):
                hold(
                    space.validate(one) == one,
                    f"space.{where} gives {one}, whose normal form is {space.validate(one)}: `canonical` has to map a "
                    "normal form to itself",
                )
                hold(
                    space.key(one) == space.key(space.validate(one)), f"space.key differs for {one} and its normal form"
                )
            hold(child != genome, f"space.mutate gives {genome} back: a mutation has to change something")

    def test_samples_cover_more_than_one_candidate(self) -> None:
        rng = random.Random(2)
        found = {self.problem.space.key(self.problem.space.sample(rng)) for _ in range(SAMPLES)}
        hold(len(found) > 1, "space.sample gives one candidate again and again: draw with the rng it is given")

    def test_controls_and_transfers_are_admitted(self) -> None:
        spec, space = self.problem.spec, self.problem.space
        for name, change in (("known", spec.controls.known), ("null", spec.controls.null)):
            if change:
                genome = self._admitted({**self._baseline(), **change}, f"spec.controls.{name}")
                hold(space.key(genome) != space.key(self._baseline()), f"spec.controls.{name} changes nothing")
        if target(Kind.ARENA, self.arena) is not None:
            changes = [("controls.null_options", spec.controls.null_options)]
            for name, options in changes + [(f"transfers, {one.name!r}", one.options) for one in spec.transfers]:
                try:
                    made(Kind.ARENA, self.arena, {**self.options, **options})
                except StudyError as error:
                    pytest.fail(f"spec.{name} names options that the arena does not take: {error}", pytrace=False)

    def test_unknown_options_are_named(self) -> None:
        hold_unknown_option_named(Kind.ARENA, self.arena, self.options)

    def test_the_worker_gives_one_artefact_for_each_trial_and_the_same_for_the_same_seed(self) -> None:
        group = self.group()
        first, again = self.outputs(group), self.outputs(group)
        for one, other in zip(first, again, strict=True):
            hold(one.artefact is not None, f"the baseline does not run: {one.failure} {one.cause}")
            hold(
                one.artefact == other.artefact,
                "run(group) gives another artefact for the same seed: draw everything random from trial.seed, keep no "
                "state between groups, and write no times",
            )

    def test_other_seeds_give_other_artefacts(self) -> None:
        found = {output.artefact for output in self.outputs(self.group(SEEDS))}
        hold(len(found) > 1, "run(group) gives one artefact for all seeds: draw from random.Random(trial.seed)")

    def test_what_the_worker_delivers_has_a_score(self) -> None:
        for group in (self.group(), self.group(fidelity=0.25)):
            for trial, output in self._delivered(group):
                score = self._scored(group, trial, output.artefact or b"")
                hold(
                    isinstance(score, Score),
                    f"at fidelity {group.fidelity:g} score() of what run() delivered gives {score!r}: scale the length "
                    "of a trial by group.fidelity in both, and return a Score",
                )
                assert isinstance(score, Score)
                self._check_score(score)

    def test_an_arena_whose_gate_data_are_of_another_distribution_says_so(self) -> None:
        found = []
        for role in (Role.SEARCH, Role.GATE):
            group = replace(self.group(), role=role)
            found.append([self._scored(group, one, run.artefact or b"") for one, run in self._delivered(group)])
        hold(
            found[0] == found[1] or not one_distribution(self.problem.spec),
            f"the same seeds score {found[0]} on search data and {found[1]} on gate data: say shifted_data=True in the "
            "spec, or fixed_data=True where examples are kept in parts, so that the lab never compares the two",
        )

    def test_an_artefact_that_is_none_raises_artefact_error(self) -> None:
        group = self.group()
        for trial, output in self._delivered(group):
            artefact = output.artefact or b""
            for wrong in (b"", artefact + b"\x00", b"\xff" * len(artefact), *self.wrong):
                said = self._scored(group, trial, wrong)
                hold(
                    isinstance(said, ArtefactError),
                    f"score() of {wrong[:40]!r} gives {said!r}: an artefact comes from a worker that may be broken, so "
                    "check its type, shape, range and length, and raise ArtefactError",
                )

    def test_no_artefact_makes_the_scorer_fail_in_another_way(self) -> None:
        group = self.group()
        for trial, output in self._delivered(group):
            for spoiled in _spoiled(output.artefact or b""):
                said = self._scored(group, trial, spoiled)
                hold(
                    isinstance(said, ArtefactError | Score),
                    f"score() of {spoiled[:40]!r} ({len(spoiled)} bytes) raises {said!r}: raise ArtefactError instead",
                )

    def test_the_workers_side_imports_nothing_of_the_labs_process(self) -> None:
        spec = self.problem.spec
        for name in spec.requires:
            pytest.importorskip(name)
        place = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-c", _IMPORT, spec.program]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": place}, capture_output=True, text=True, check=False
        )
        hold(done.returncode == 0, f"a worker cannot import {spec.program!r}:\n{done.stderr[-2000:]}")
        said: dict[str, list[str]] = {}
        for line in done.stdout.splitlines()[-2:]:
            word, *values = line.split()
            said[word] = values
        lab = [name for name in said["modules"] if name.split(".")[1] in _LAB_ONLY]
        hold(
            not lab,
            f"importing {spec.program!r} imports {lab[:3]}, which belong to the lab's process: import them later",
        )
        hold(said["threads"] == ["1"], f"importing {spec.program!r} leaves threads: a worker that forks must have one")

    def test_the_hash_of_its_code_covers_its_package(self) -> None:
        spec = self.problem.spec
        origin = Path(importlib.import_module(spec.program).__file__ or "")
        alone = "." in spec.program or origin.name != "__init__.py" or len(list(origin.parent.rglob("*.py"))) == 1
        hold(
            alone or spec.program in spec.depends,
            f"spec.program names a package, of which only __init__.py counts as the arena's code: add "
            f'depends=("{spec.program}",) to the spec, or name the module inside that has run()',
        )

    def _baseline(self) -> Genome:
        return self._admitted(self.problem.spec.baseline, "spec.baseline")

    def _admitted(self, genome: Genome, what: str) -> Genome:
        try:
            return self.problem.space.validate(genome)
        except StudyError as error:
            return pytest.fail(f"{what} is not admitted by the space: {error}", pytrace=False)

    def _refusal(self, genome: Genome) -> object:
        try:
            return self.problem.space.validate(genome)
        except Exception as error:
            return error

    def _delivered(self, group: TrialGroup) -> Iterator[tuple[Trial, TrialOutput]]:
        for trial, output in zip(group.trials, self.outputs(group), strict=True):
            hold(output.artefact is not None, f"the baseline does not run: {output.failure} {output.cause}")
            yield trial, output

    def _scored(self, group: TrialGroup, trial: Trial, artefact: bytes) -> object:
        """The score, or what was raised instead."""
        try:
            return self.problem.score(replace(group, trials=(trial,)), trial, artefact)
        except Exception as error:
            return error

    def _check_score(self, score: Score) -> None:
        spec = self.problem.spec
        hold(unfit(spec, score) is None, f"score() of a good artefact cannot stand as a number: {unfit(spec, score)}")
        names = {metric.name for metric in spec.metrics}
        hold(
            isinstance(score.others, Mapping) and set(score.others) == names,
            f"Score.others names {sorted(score.others)}, spec.metrics {sorted(names)}: they have to be the same",
        )
        if (left := room(spec, score.value)) is not None:
            hold(
                left >= -spec.resolution,
                f"the score {score.value} is better than spec.ceiling ({spec.ceiling}), so every candidate would look "
                "too good to be true",
            )


def _spoiled(artefact: bytes) -> Iterator[bytes]:
    """Artefacts with bytes changed, cut, doubled, and of nothing but chance; the same ones each time."""
    rng = random.Random(3)
    yield from (artefact[:-1], artefact[1:], artefact * 2, artefact[::-1], b"\x00" * len(artefact), b"nan", b"1e999")
    for _ in range(SPOILED):
        changed = bytearray(artefact or b"\x00")
        changed[rng.randrange(len(changed))] = rng.randrange(256)
        yield bytes(changed)
        yield rng.randbytes(len(artefact))
