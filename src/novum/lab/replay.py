"""Replay: recorded trials run again, through the same executor and arena, and what comes out held against the record.

Seeds follow from keys that the record reveals, so anybody can do it, from a lab or from an evidence pack. Trials that
were trained together run together again. Only trials whose seeds are public can be replayed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from novum.audit.evidence_bundle import rests_on
from novum.audit.pack import records
from novum.audit.pack_file import Row, open_pack
from novum.audit.score_checks import Seal, seal, seal_of
from novum.audit.verify_pack import finding_of
from novum.core.engine.artifact_store import address
from novum.core.engine.context import group_of
from novum.core.events.campaign import Provenance, SessionStarted
from novum.core.events.trials import ScaleMeasured, TrialFinished
from novum.core.events.verdicts import FindingRecorded, FollowUpClosed, VerdictReached
from novum.core.model import seeds
from novum.core.model.arena_spec import unfit
from novum.core.model.errors import IntegrityError, LabMismatch, UserError
from novum.core.model.metric import gain
from novum.core.model.ports import Arena, Executor
from novum.core.model.trial import ArtefactError, GroupResult, OutcomeKind, Trial, TrialGroup, TrialOutput
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.state.arm import arm_id, arm_of
from novum.core.state.full_state import FullState
from novum.lab import arena_code, open_campaign, wiring
from novum.lab.provenance import provenance
from novum.ledger.journal import Reader
from novum.ledger.memory_blobs import MemoryBlobs

PATIENCE = 0.5
"""Seconds to wait for a group before asking again."""

_ORDER = (Purpose.CONFIRM, Purpose.ESTIMATE, Purpose.FOLLOW_UP, Purpose.CALIBRATE, Purpose.SCREEN)


class How(StrEnum):
    """How a trial came out again."""

    IDENTICAL = "identical"
    CLOSE = "close"
    FAILED_ALIKE = "failed alike"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Again:
    """One trial run again. Scores in metric units; `words` says what the comparison is about.

    identical: the artefact, bit for bit; close: its score, to the spec's resolution.
    """

    trial: str
    purpose: Purpose
    how: How
    recorded: float | None
    now: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was run again."""

    ok: bool
    """Whether every trial came out again."""
    about: str
    trials: tuple[Again, ...]
    notes: tuple[str, ...]
    """What differs between this machine and the one of the record."""

    def count(self, how: How) -> int:
        """How many trials came out so."""
        return sum(one.how is how for one in self.trials)


@dataclass(frozen=True)
class Told:
    """A record as replaying needs it: all trials, revealed keys, and the start of each session."""

    archive: FullState
    keys: dict[Seal, bytes]
    sessions: list[SessionStarted]

    def key(self, plan: Plan) -> bytes | None:
        """The key behind the seeds of a plan, None while it is sealed."""
        if plan.purpose is Purpose.SCREEN:
            return seeds.search_key(self.archive.study.seed)
        return self.keys.get(seal_of(plan))


def replay(
    target: str,
    lab: Path | None = None,
    *,
    trials: int | None = None,
    workers: int | None = None,
    anyway: bool = False,
    arena: Arena | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Run again what `target` names: an evidence pack (a path), or a hypothesis, trial or group of the lab.

    trials: stop with the group that makes it as many, the confirming pairs first. anyway: also when the arena's code is
    not the one of the record. arena: the Arena object of a lab with one of your own.
    Raises ExecutorError, IntegrityError, LabMismatch, MissingExtra, StudyError, UserError.
    """
    packed = os.path.isfile(target)  # noqa: PTH113 it takes any name, however long
    told, about, plans = _packed(Path(target)) if packed else _found(target, lab)
    study, state = told.archive.study, told.archive
    assert study
    problem = arena or wiring.arena(study)
    notes = _notes(told, problem, anyway=anyway)
    wiring.require(problem)
    chosen = list(_chosen(told, plans, trials))
    if not chosen:
        raise UserError(f"nothing of {about} can be run again: the seeds of its trials are still sealed")
    if sealed := sum(len(plan.members) for plan in plans if told.key(plan) is None):
        notes.append(f"{sealed} further trials cannot be run again: their seeds are still sealed")
    groups = [group_of(plan, key, study) for plan, key in chosen]
    say(f"running {sum(len(group.trials) for group in groups)} trials of {about} again (groups: {len(groups)})")
    arena_with_options = wiring.arena_with_options(study, arena)
    done: list[Again] = []
    with wiring.executor(study, problem, workers or wiring.cores()) as place:
        for result in _run(place, groups):
            plan = state.plan(result.group.id)
            scorer = arena_with_options({**study.options, **plan.options}) if plan.options else problem
            done.extend(_compared(result, plan, state, scorer))
            say(f"{len(done)} trials done")
    order = {group.id: place for place, group in enumerate(groups)}
    done.sort(key=lambda one: (order[one.trial.rpartition(".")[0]], int(one.trial.rpartition(".")[2])))
    ok = all(one.how is not How.DIFFERENT for one in done)
    return Replayed(ok, about, tuple(done), tuple(notes))


def _packed(path: Path) -> tuple[Told, str, list[Plan]]:
    """The record in a pack, and the plans behind its finding."""
    with open_pack(path) as pack:
        told = _told(pack.rows())
        name = str(finding_of(pack, told.archive.public_key).predicate.get("finding"))[:80]
    return told, name, _behind(told, name)


def _found(name: str, lab: Path | None) -> tuple[Told, str, list[Plan]]:
    """The record of a lab, and the plans that a name stands for."""
    if lab is None:
        raise UserError(f"{name!r} is no evidence pack, and no lab was given to look for it: give --lab DIR")
    with Reader(lab) as reader, closing(reader.rows()) as rows:
        told = _told(rows)
    if not told.archive.opened:
        raise UserError(f"the lab {lab} is empty: no campaign was opened in it")
    if name in told.archive.hypotheses:
        return told, name, _behind(told, name)
    group = told.archive.finished[name].group if name in told.archive.finished else name
    try:
        return told, name, [told.archive.plan(group)]
    except KeyError:
        raise UserError(f"there is no hypothesis, trial or group {name!r} in this lab") from None


def _told(rows: Iterable[Row]) -> Told:
    told = Told(FullState(), {}, [])
    for record in records(rows):
        event = record.event
        try:
            told.archive.keep(event)
            _reveal(told, event)
        except (LookupError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError) as error:
            raise IntegrityError(f"event {record.seq} contradicts the record before it: {error}") from error
    return told


def _reveal(told: Told, event: object) -> None:
    """Take the key that an event makes public."""
    if isinstance(event, SessionStarted):
        told.sessions.append(event)
    elif isinstance(event, VerdictReached | FindingRecorded) and event.key:
        rule = told.archive.hypotheses[event.hypothesis].rule
        assert rule
        told.keys[seal(arm_of(rule), Purpose.CONFIRM)] = bytes.fromhex(event.key)
    elif isinstance(event, FollowUpClosed):
        told.keys[seal(arm_id(event.hypothesis, event.attempt), Purpose.FOLLOW_UP)] = bytes.fromhex(event.key)
    elif isinstance(event, ScaleMeasured) and event.key:
        told.keys[seal(arm_id(event.candidate, 0), Purpose.CALIBRATE)] = bytes.fromhex(event.key)


def _behind(told: Told, name: str) -> list[Plan]:
    """The plans behind a hypothesis: its own pairs first, then what they were judged by."""
    hypothesis = told.archive.hypotheses.get(name)
    if hypothesis is None:
        raise IntegrityError(f"the record knows no {name!r}")
    plans = {trial.group: told.archive.plan(trial.group) for trial in rests_on(told.archive, hypothesis)}
    return sorted(plans.values(), key=lambda plan: (plan.subject != name, _ORDER.index(plan.purpose)))


def _chosen(told: Told, plans: Sequence[Plan], trials: int | None) -> Iterator[tuple[Plan, bytes]]:
    """Plans with their keys, as far as these are public, until there are enough trials."""
    count = 0
    for plan in plans:
        key = told.key(plan)
        if key is not None and (trials is None or count < trials):
            count += len(plan.members)
            yield plan, key


def _notes(told: Told, problem: Arena, *, anyway: bool) -> list[str]:
    """What differs here from the record. Raises LabMismatch when the code does, unless `anyway`."""
    if arena_code.code_hash(problem.spec) != told.archive.code:
        words = "the code of the arena here is not the code that the record was made with"
        if not anyway:
            raise LabMismatch(f"{words}: install that version, or compare all the same with --anyway")
        return [words, *_versions(told, problem)]
    return _versions(told, problem)


def _versions(told: Told, problem: Arena) -> list[str]:
    """What the trials may depend on and is not here as it was in the last session."""
    if not told.sessions:
        return []
    last = told.sessions[-1]
    before, here = dict(last.versions), open_campaign.versions(problem)
    if last.provenance.novum_code:
        before |= _surroundings(last.provenance)
        here |= _surroundings(provenance(problem, MemoryBlobs(), ""))
    return [
        f"{name}: recorded with {before.get(name, 'none')}, here {here.get(name, 'none')}"
        for name in sorted({*before, *here})
        if before.get(name) != here.get(name)
    ]


def _surroundings(where: Provenance) -> dict[str, str]:
    threads = (
        ", ".join(f"{name}={value}" for name, value in sorted(where.threads.items()) if value) or "as many as cores"
    )
    return {"processor": where.processor, "threads": threads, "novum's code": where.novum_code[:12]}


def _run(place: Executor, groups: Sequence[TrialGroup]) -> Iterator[GroupResult]:
    """The groups through an executor, as many at once as it likes, in the order in which they end."""
    waiting, flying = deque(groups), 0
    while waiting or flying:
        while waiting and flying < place.slots:
            place.submit(waiting.popleft())
            flying += 1
        for result in place.collect(PATIENCE):
            flying -= 1
            yield result


def _compared(result: GroupResult, plan: Plan, state: FullState, scorer: Arena) -> Iterator[Again]:
    for trial, output in zip(result.group.trials, result.outputs, strict=True):
        before = state.finished.get(trial.id)
        if before is not None and before.kind is not OutcomeKind.LOST:
            kind, now, cause = _outcome(scorer, result.group, trial, output)
            how, words = _verdict(before, kind, now, cause, output, scorer)
            yield Again(trial.id, plan.purpose, how, before.score, now, words)


def _outcome(
    scorer: Arena, group: TrialGroup, trial: Trial, output: TrialOutput
) -> tuple[OutcomeKind, float | None, str]:
    """How a trial ended here: kind, score, and the cause of a failure."""
    if output.artefact is None:
        return output.failure or OutcomeKind.INVALID, None, output.cause
    try:
        score = scorer.score(group, trial, output.artefact)
    except ArtefactError as error:
        return OutcomeKind.INVALID, None, str(error)
    objection = unfit(scorer.spec, score)
    return (objection[0], None, objection[1]) if objection else (OutcomeKind.SCORED, float(score.value), "")


def _verdict(
    before: TrialFinished, kind: OutcomeKind, now: float | None, cause: str, output: TrialOutput, scorer: Arena
) -> tuple[How, str]:
    """The comparison, and in words what it is about."""
    if before.artefact is not None and output.artefact is not None and address(output.artefact) == before.artefact:
        return How.IDENTICAL, "the same artefact, bit for bit"
    if before.score is not None and now is not None:
        spec = scorer.spec
        off = abs(gain(now, before.score, higher_is_better=True, log=spec.log))
        words = f"another artefact, its score is off by {off:.3g} (resolution {spec.resolution:.3g})"
        return (How.CLOSE if off <= spec.resolution else How.DIFFERENT), words
    if before.kind is kind:
        return How.FAILED_ALIKE, f"{kind} again"
    return How.DIFFERENT, f"recorded as {before.kind}, here {kind}{f': {cause}' if cause else ''}"
