"""The only file that knows every concrete class. A new variant is one line here and a file in its room."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from novum import registry
from novum.core.engine.context import LabContext
from novum.core.engine.oversight_ports import HoldoutService
from novum.core.events.event_ports import Ledger
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.errors import LabMismatch, MissingExtra, StudyError
from novum.core.model.options import configured
from novum.core.model.ports import (
    Arena,
    Blobs,
    DescribesIsolation,
    Evidence,
    Executor,
    HandsOutGpus,
    HidesFiles,
    NeedsSandbox,
    OpensDoor,
    Researcher,
)
from novum.core.model.seeds import Keyring, commitment, seed
from novum.core.model.study import Study
from novum.core.model.trial import Trial, TrialGroup
from novum.core.state.campaign_state import CampaignState
from novum.governance.hard_budget import HardBudget, check_levels
from novum.lab.gpu_supply import gpu_pool, workers_for
from novum.lab.machine_supply import Machines, site
from novum.lab.model_researchers import researcher as researcher_of
from novum.lab.model_researchers import with_comments
from novum.lab.study_checks import check_metrics
from novum.registry import Kind


def check_waiting(study: Study, budget: Budget) -> None:
    """Who waits for others would wait for ever without a bound on time. Raises StudyError."""
    if study.researcher.name == "inbox" and budget.wall_seconds is None:
        raise StudyError(
            "researcher.name: inbox waits for proposals from outside, so its budget must bound wall time: add one, "
            "for example --budget '2h, 500 trials'"
        )


def check(study: Study, budget: Budget | None = None) -> None:
    """Build what the study names, so that a wrong name or option is found before anything starts. Raises StudyError."""
    if budget is not None and budget.bounded:
        check_waiting(study, budget)
    problem = arena(study)
    try:
        problem.cost(problem.space.validate(study.baseline or problem.spec.baseline))
    except StudyError as error:
        raise StudyError(f"baseline: {error}") from None
    with_comments(study, researcher_of(study))
    registry.find(Kind.EXECUTOR, study.executor, "executor")
    check_metrics(study, problem.spec)
    check_levels(study, len(problem.spec.tuning))


def arena(study: Study) -> Arena:
    """The arena of a study. Raises StudyError with the known names or options."""
    target = registry.find(Kind.ARENA, study.arena, "arena")
    made: Arena = configured(target, study.options, f"the {study.arena} arena")
    return made


def has_arena(study: Study) -> bool:
    """Whether the arena of a study is here: built in, installed, or importable."""
    return not why_not_here(study)


def why_not_here(study: Study) -> str:
    """Why the arena of a study cannot be used here, and what to do; empty when it is here."""
    try:
        registry.find(Kind.ARENA, study.arena, "arena")
    except StudyError as error:
        return str(error)
    return ""


def context(
    study: Study,
    budget: Budget,
    secret: bytes,
    slots: int,
    problem: Arena | None = None,
    researcher: Researcher | None = None,
) -> LabContext:
    """All rooms of a study behind their ports. `problem` and `researcher` replace the ones that the study names."""
    from novum.gate.judge import BettingGate
    from novum.gate.tail import TailWatch
    from novum.researchers.critic import RuleCritic
    from novum.researchers.random import RandomResearcher

    problem, given = problem or arena(study), problem
    return LabContext(
        study=study,
        arena=problem,
        researcher=with_comments(study, researcher or researcher_of(study)),
        gate=BettingGate(study.gate),
        tails=TailWatch(study.gate),
        evidence=evidence(study),
        governor=HardBudget(budget),
        keyring=Keyring(secret),
        slots=slots,
        arena_with_options=arena_with_options(study, given),
        critic=RuleCritic(problem.space, problem.hidden_files() if isinstance(problem, HidesFiles) else frozenset()),
        control=RandomResearcher(),
    )


def arena_with_options(study: Study, problem: Arena | None) -> Callable[[Setting], Arena]:
    """Builds the study's arena with other options; `problem`, if given, finds them in the trial group instead."""

    @cache
    def build(options: str) -> Arena:
        return problem or arena(replace(study, options=json.loads(options)))

    return lambda options: build(json.dumps(dict(options), sort_keys=True))


def isolation(study: Study, problem: Arena) -> str:
    """What stands between a trial and the machine. Raises SandboxUnavailable for a program that asks for more."""
    least = problem.isolation if isinstance(problem, NeedsSandbox) else ""
    if not least:
        place = registry.find(Kind.EXECUTOR, study.executor, "executor")
        return place.isolation if isinstance(place, DescribesIsolation) else ""
    from novum.sandbox import Tier, require, sandbox_status

    found = sandbox_status()
    require(found.tier, Tier(least))
    return f"sandbox of tier {found.tier}" + (f" ({Path(found.tool).name})" if found.tool else "")


def holdout_service(rooms: LabContext, blobs: Blobs) -> HoldoutService | None:
    """Who keeps the final data, for arenas that have some."""
    from novum.gate.holdout_service import LabHoldoutService

    return LabHoldoutService(rooms, blobs) if rooms.arena.spec.fixed_data else None


def executor(
    study: Study,
    problem: Arena,
    workers: int,
    directory: Path | None = None,
    listen: str = "",
    machines: Machines | None = None,
) -> AbstractContextManager[Executor]:
    """Where the study's trials run. directory: the lab's, for machines that dial in at `listen`, or as `machines` says.

    Raises ExecutorError, StudyError.
    """
    place, spec = registry.find(Kind.EXECUTOR, study.executor, "executor"), problem.spec
    jobs = site(place, machines or Machines(study.executor))
    listen = listen or (jobs["jobs"].listen if jobs else "")
    door: dict[str, Any] = {**_door(study, problem, directory, listen), **jobs} if isinstance(place, OpensDoor) else {}
    if spec.gpus and not isinstance(place, HandsOutGpus):
        raise StudyError(f"executor: {study.executor!r} hands out no GPUs, and this study asks for some: take 'local'")
    more: dict[str, Any] = {"gpus": gpu_pool(spec)} if spec.gpus else {}
    running: AbstractContextManager[Executor] = place(spec.program, workers_for(spec, workers), **more, **door)
    return running


def _door(study: Study, problem: Arena, directory: Path | None, listen: str) -> dict[str, Any]:
    from novum.executors.remote.credentials import LabCredentials
    from novum.executors.remote.remote_executor import DEFAULT_ADDRESS, Door
    from novum.ledger.novum_code import code_hash

    if directory is None:
        raise StudyError("executor: machines join a lab that has a directory of its own")
    spec, baseline = problem.spec, Candidate(problem.space.validate(study.baseline or problem.spec.baseline))
    trial = Trial("probe.0", seed(b"the probe of machines", 0), spec.tuning[0])
    probe = TrialGroup("probe", baseline, (trial,), study.options, limits=study.limits)
    where, who = listen or DEFAULT_ADDRESS, LabCredentials(directory)
    door = Door(where, who, code_hash(), probe, lambda words: print(words, file=sys.stderr))
    return {"door": door, "requires": () if spec.name == "program" else spec.requires, "depends": spec.depends}


def require(problem: Arena) -> None:
    """Check that a worker will find the arena's modules. Raises MissingExtra."""
    missing = [name for name in problem.spec.requires if importlib.util.find_spec(name) is None]
    if missing and problem.spec.name == "program":
        raise MissingExtra(
            f"the study's program needs {', '.join(missing)}, not installed where Novum runs: pip install that there, "
            "or name an interpreter that has it as program.python"
        )
    if missing:
        raise MissingExtra(
            f"the arena {problem.spec.name!r} needs {', '.join(missing)}, which is not installed: "
            "pip install 'novum[arenas]', or try `novum run coinflip`, which needs nothing"
        )


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def signed(journal: Ledger, directory: Path, state: CampaignState, rooms: LabContext) -> Ledger:
    """The ledger under the lab's key, which is made with the lab and never changes. Raises LabMismatch, UserError."""
    from novum.ledger.key import load_key
    from novum.ledger.signed import SignedLedger

    key = load_key(directory, create=not state.public_key)
    if state.public_key and key.public != state.public_key:
        raise LabMismatch(f"{directory}/lab.key is not the one that signed the record so far: restore it")
    return SignedLedger(journal, key, commitment(rooms.keyring.secret))


def evidence(study: Study) -> Evidence:
    """What acceptances cost in a study."""
    from novum.gate.evidence import Elond, Recycling

    return Recycling(study.gate) if study.gate.refunds else Elond(study.gate)
