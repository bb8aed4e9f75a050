"""The only file that knows every concrete class. A new variant is one line here and a file in its room."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.gc_pause import gc_paused
from novum.core.engine.loop import Lab
from novum.core.engine.oversight_ports import HoldoutService
from novum.core.events.event_ports import Ledger
from novum.core.model.budget import Budget
from novum.core.model.candidate import Setting
from novum.core.model.errors import ExecutorError, LabMismatch, MissingExtra, StudyError
from novum.core.model.ports import Arena, Blobs, Closable, Evidence, Executor, HidesFiles, NeedsSandbox, Researcher
from novum.core.model.request import Act
from novum.core.model.seeds import Keyring, commitment
from novum.core.model.study import Study
from novum.core.state.campaign_state import CampaignState
from novum.governance.hard_budget import HardBudget, check_levels
from novum.governance.mailbox import Mailbox
from novum.governance.stop_watcher import kill_switch
from novum.governance.watchdog import watchdog
from novum.integrations.telemetry import traced
from novum.lab import restore
from novum.lab.open_campaign import check_same, take_up
from novum.lab.provenance import provenance
from novum.lab.study_checks import check_metrics, check_secrets, valid
from novum.text.secret_scan import Secrets

if TYPE_CHECKING:
    from novum.audit.verify import Verification


T = TypeVar("T")
Builder = Callable[[Setting], T]


def _coinflip(options: Setting) -> Arena:
    from novum.arenas.coinflip.arena import CoinflipArena

    return CoinflipArena.build(options)


def _program(options: Setting) -> Arena:
    from novum.arenas.program.arena import ProgramArena

    return ProgramArena(options)


def _recall(options: Setting) -> Arena:
    from novum.arenas.recall.arena import RecallArena

    return RecallArena(options)


def _digits(options: Setting) -> Arena:
    from novum.arenas.digits.arena import DigitsArena

    return DigitsArena(options)


def _random(options: Setting) -> Researcher:
    from novum.researchers.random import RandomResearcher

    return _configured(RandomResearcher, options)


def _evolve(options: Setting) -> Researcher:
    from novum.researchers.evolve import EvolveResearcher

    return _configured(EvolveResearcher, options)


def _code(options: Setting) -> Researcher:
    from novum.researchers.code import CodeResearcher

    return _configured(CodeResearcher, options)


def _language(options: Setting) -> Researcher:
    from novum.lab.recorded_models import recorded
    from novum.researchers.language import LanguageOptions, LanguageResearcher

    return LanguageResearcher(_configured(LanguageOptions, options), recorded)


def _inbox(options: Setting) -> Researcher:
    from novum.researchers.inbox import InboxResearcher

    return _configured(InboxResearcher, options)


def _portfolio(options: Setting) -> Researcher:
    from novum.researchers.portfolio import PortfolioResearcher, PortfolioSettings, members

    settings = _configured(PortfolioSettings, {key: value for key, value in options.items() if "." not in key})
    builders = {name: build for name, build in RESEARCHERS.items() if name not in ("inbox", "portfolio")}
    known = members(settings, options, lambda name: _choose("researcher.options.members", name, builders))
    return PortfolioResearcher(known, settings)


ARENAS: Mapping[str, Builder[Arena]] = {
    "coinflip": _coinflip,
    "digits": _digits,
    "program": _program,
    "recall": _recall,
}
ISOLATION = {"inline": "none: trials run in the lab's own process", "local": "limits on a forked process; no sandbox"}
"""What stands between a trial and the machine, by executor."""

RESEARCHERS: Mapping[str, Builder[Researcher]] = {
    "code": _code,
    "evolve": _evolve,
    "inbox": _inbox,
    "language": _language,
    "portfolio": _portfolio,
    "random": _random,
}


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
    _commented(study, _researcher(study))
    check_metrics(study, problem.spec)
    check_levels(study, len(problem.spec.tuning))


def _researcher(study: Study) -> Researcher:
    """The researcher that a study names. Raises StudyError."""
    return _choose("researcher.name", study.researcher.name, RESEARCHERS)(study.researcher.options)


def _commented(study: Study, inner: Researcher) -> Researcher:
    """The study's researcher, with the model beside it that remarks on its proposals and their verdicts, if any."""
    if not study.comments.model:
        return inner
    from novum.lab.recorded_models import remarked
    from novum.researchers.language import CommentingResearcher

    return CommentingResearcher(inner, study.comments, remarked)


def arena(study: Study) -> Arena:
    """The arena of a study. Raises StudyError with the known names or options."""
    return _choose("arena", study.arena, ARENAS)(study.options)


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
    from novum.researchers.critic import RuleCritic

    problem, given = problem or arena(study), problem
    return LabContext(
        study=study,
        arena=problem,
        researcher=_commented(study, researcher or _researcher(study)),
        gate=BettingGate(study.gate),
        evidence=_evidence(study),
        governor=HardBudget(budget),
        keyring=Keyring(secret),
        slots=slots,
        arena_with_options=arena_with_options(study, given),
        critic=RuleCritic(problem.space, problem.hidden_files() if isinstance(problem, HidesFiles) else frozenset()),
        control=_random({}),
    )


def arena_with_options(study: Study, problem: Arena | None) -> Callable[[Setting], Arena]:
    """Builds the study's arena with other options; `problem`, if given, finds them in the trial group instead."""

    @cache
    def build(options: str) -> Arena:
        return problem or arena(replace(study, options=json.loads(options)))

    return lambda options: build(json.dumps(dict(options), sort_keys=True))


@contextmanager
def session(
    study: Study,
    budget: Budget,
    directory: Path,
    *,
    workers: int | None = None,
    problem: Arena | None = None,
    researcher: Researcher | None = None,
    place: Executor | None = None,
) -> Iterator[Lab]:
    """A lab ready to run: lease taken, campaign opened or resumed, workers starting. Ends them all on leaving.

    `place`: an executor that is open already and stays open.

    Raises LabInUse, LabMismatch, MissingExtra, StorageError, StudyError.
    """
    from novum.ledger.blobs import FileBlobs
    from novum.ledger.journal import Journal
    from novum.ledger.lab_secret import load_secret
    from novum.ledger.scrubbed import ScrubbedLedger

    study, budget = valid(study, budget)
    if not budget.bounded:
        raise StudyError("no budget: give --budget (for example --budget 3m) or a budget line in the study file")
    if researcher is None:
        check_waiting(study, budget)
    given, problem = problem, problem or arena(study)
    check_metrics(study, problem.spec)
    check_levels(study, len(problem.spec.tuning))
    require(problem)
    known = Secrets.of(os.environ)
    check_secrets(study, known)
    count = workers or (1 if study.executor == "inline" else cores())
    with Journal(directory) as journal:
        state = restore.restore(journal, directory)
        secret = load_secret(directory, create=not state.opened)
        rooms = context(study, budget, secret, count, given, researcher)
        if state.opened:
            check_same(state, rooms, directory)
        ledger = ScrubbedLedger(traced(_signed(journal, directory, state, rooms)), known)
        blobs = FileBlobs(directory / "blobs")
        journal.before_commit = blobs.sync
        box = Mailbox(directory)
        box.check()
        stale = [one for one in box.waiting() if one.act is Act.STOP]
        take_up(state, ledger, rooms, budget, provenance(problem, blobs, isolation(study, problem)), stale)
        for one in stale:
            box.done(one)
        campaign = Campaign(state, rooms)
        with nullcontext(place) if place else executor(study, problem, count) as running:
            lab = Lab(
                campaign,
                ledger,
                blobs,
                running,
                holdout_service=holdout_service(rooms, blobs),
                mailbox=box,
                secrets=known,
            )
            lab.watchdog = watchdog(study, problem, directory)
            lab.rest = restore.keeper(journal, directory, secret, state)
            with kill_switch(box, lab), closing_of(rooms.researcher):
                yield lab
            lab.rest(True)


@contextmanager
def closing_of(researcher: Researcher) -> Iterator[None]:
    """Ends what a researcher keeps running in the background, whichever way the session ends."""
    try:
        yield
    finally:
        if isinstance(researcher, Closable):
            researcher.close()


def verify(path: Path, problem: Arena | None = None, anchor: str = "") -> Verification:
    """Check the record of a lab or of an evidence pack with the gate and the arena of its study, or with `problem`.

    Without the arena only what needs no scores is checked, and the notes say so. anchor: a root published earlier,
    whose history the record must still contain. Raises IntegrityError for a file that is no pack, UserError.
    """
    from novum.audit.anchor import parse
    from novum.audit.pack_file import open_pack
    from novum.audit.score_checks import Rules
    from novum.audit.signatures import Known
    from novum.audit.verify import verify_lab
    from novum.audit.verify_pack import verify_pack
    from novum.gate.judge import BettingGate
    from novum.ledger.blobs import FileBlobs
    from novum.ledger.journal import Reader
    from novum.ledger.key import public_of

    def rules(study: Study) -> Rules:
        known = problem or (arena(study) if study.arena in ARENAS else None)
        return Rules(known, arena_with_options(study, problem), BettingGate(study.gate), _evidence(study))

    root = parse(anchor) if anchor else None
    if os.path.isfile(path):  # noqa: PTH113 it takes any name, however long
        with open_pack(path) as pack:
            return verify_pack(pack, rules, Known(anchor=root))
    with Reader(path) as reader, closing(reader.rows()) as rows, gc_paused():
        return verify_lab(rows, FileBlobs(path / "blobs"), rules, Known(public_of(path), root))


def isolation(study: Study, problem: Arena) -> str:
    """What stands between a trial and the machine. Raises SandboxUnavailable for a program that asks for more."""
    least = problem.isolation if isinstance(problem, NeedsSandbox) else ""
    if not least:
        return ISOLATION[study.executor]
    from novum.sandbox import Tier, require, standing

    found = standing()
    require(found.tier, Tier(least))
    return f"sandbox of tier {found.tier}" + (f" ({Path(found.tool).name})" if found.tool else "")


def holdout_service(rooms: LabContext, blobs: Blobs) -> HoldoutService | None:
    """Who keeps the final data, for arenas that have some."""
    from novum.gate.holdout_service import LabHoldoutService

    return LabHoldoutService(rooms, blobs) if rooms.arena.spec.fixed_data else None


def executor(study: Study, problem: Arena, workers: int) -> AbstractContextManager[Executor]:
    """Where the study's trials run."""
    if study.executor == "inline":
        from novum.executors.inline import InlineExecutor

        return nullcontext(InlineExecutor(problem.spec.program))
    if sys.platform == "win32":
        raise ExecutorError("the local executor needs fork, which Windows lacks: use Linux, macOS or WSL")
    from novum.executors.local.executor import LocalExecutor

    return LocalExecutor(problem.spec.program, workers)


def require(problem: Arena) -> None:
    """Check that a worker will find the arena's modules. Raises MissingExtra."""
    missing = [name for name in problem.spec.requires if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"the arena {problem.spec.name!r} needs {', '.join(missing)}, which is not installed: "
            "pip install 'novum[arenas]', or try `novum run coinflip`, which needs nothing"
        )


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _signed(journal: Ledger, directory: Path, state: CampaignState, rooms: LabContext) -> Ledger:
    """The ledger under the lab's key, which is made with the lab and never changes. Raises LabMismatch, UserError."""
    from novum.ledger.key import load_key
    from novum.ledger.signed import SignedLedger

    key = load_key(directory, create=not state.public_key)
    if state.public_key and key.public != state.public_key:
        raise LabMismatch(f"{directory}/lab.key is not the one that signed the record so far: restore it")
    return SignedLedger(journal, key, commitment(rooms.keyring.secret))


def _evidence(study: Study) -> Evidence:
    from novum.gate.evidence import Elond, Recycling

    return Recycling(study.gate) if study.gate.refunds else Elond(study.gate)


def _choose(key: str, name: str, known: Mapping[str, Builder[T]]) -> Builder[T]:
    if name not in known:
        raise StudyError(f"{key}: there is no {name!r}; choose from {', '.join(sorted(known))}")
    return known[name]


def _configured(researcher: type[T], options: Setting) -> T:
    """A researcher with its options checked against their types and ranges. Raises StudyError."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    try:
        return TypeAdapter(with_config(ConfigDict(extra="forbid"))(researcher)).validate_python(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        raise StudyError(f"researcher.options.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
