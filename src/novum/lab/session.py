"""A session: the lease is taken, the campaign opened or taken up, workers start; all of it ends on leaving."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from novum import registry
from novum.core.engine.context import Campaign
from novum.core.engine.loop import Lab
from novum.core.events.event_ports import Ledger
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.ports import Arena, Closable, Executor, Researcher, ShowsProgress
from novum.core.model.request import Act, Request
from novum.core.model.study import Study
from novum.governance.hard_budget import check_levels, check_total
from novum.governance.mailbox import Mailbox
from novum.governance.stop_watcher import kill_switch
from novum.governance.watchdog import watchdog
from novum.lab import restore
from novum.lab.gpu_supply import check_gpus, workers_for
from novum.lab.machine_supply import Machines
from novum.lab.open_campaign import as_recorded, check_same, take_up
from novum.lab.provenance import provenance
from novum.lab.study_checks import check_metrics, check_secrets, valid
from novum.lab.wiring import arena, check_waiting, context, cores, executor, holdout_service, isolation, require, signed
from novum.registry import Kind
from novum.sandbox import live_readings
from novum.text.secret_scan import Secrets


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
    listen: str = "",
    machines: Machines | None = None,
) -> Iterator[Lab]:
    """A lab ready to run: lease taken, campaign opened or resumed, workers starting. Ends them all on leaving.

    `place`: an executor that is open already and stays open. `listen`: where machines dial in that run the trials,
    HOST:PORT; `machines`: where trials run; both whatever executor the study names.

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
    here = replace(study, executor=machines.executor if machines else "remote" if listen else study.executor)
    registry.find(Kind.EXECUTOR, here.executor, "executor")
    given, problem = problem, problem or arena(study)
    check_metrics(study, problem.spec)
    check_levels(study, len(problem.spec.tuning))
    require(problem)
    known = Secrets.of(os.environ)
    check_secrets(study, known)
    count = workers or (1 if study.executor == "inline" else cores())
    if place is None:
        check_gpus(problem.spec)
        count = workers_for(problem.spec, count)
    with Journal(directory) as journal:
        state = restore.restore(journal, directory)
        if state.opened and (recorded := as_recorded(study, state.study)) is not study:
            study, problem = recorded, given or arena(recorded)
        secret = load_secret(directory, create=not state.opened)
        rooms = context(study, budget, secret, count, given, researcher)
        if state.opened:
            check_same(state, rooms, directory, journal.read())
            if budget != state.budget:
                check_total(budget, state.spent, f"the lab {directory}")
        ledger = ScrubbedLedger(_traced(signed(journal, directory, state, rooms)), known)
        blobs = FileBlobs(directory / "blobs")
        journal.before_commit = blobs.sync
        box = Mailbox(directory)
        with _without_stale_stops(box) as stale:
            take_up(state, ledger, rooms, budget, provenance(problem, blobs, isolation(here, problem)), stale)
        campaign = Campaign(state, rooms)
        holdout = holdout_service(rooms, blobs)
        with nullcontext(place) if place else executor(here, problem, count, directory, listen, machines) as running:
            if isinstance(running, ShowsProgress):
                running.show_progress_in(live_readings.prepared(directory))
            lab = Lab(campaign, ledger, blobs, running, holdout_service=holdout, mailbox=box, secrets=known)
            lab.watchdog = watchdog(study, problem, directory)
            lab.rest = restore.keeper(journal, directory, secret, state)
            with kill_switch(box, lab), closing_of(rooms.researcher):
                yield lab
            lab.rest(True)


@contextmanager
def _without_stale_stops(box: Mailbox) -> Iterator[list[Request]]:
    """The requests to stop that a former session left behind: they are answered once this one has been opened."""
    box.check()
    stale = [one for one in box.waiting() if one.act is Act.STOP]
    yield stale
    for one in stale:
        box.done(one)


@contextmanager
def closing_of(researcher: Researcher) -> Iterator[None]:
    """Ends what a researcher keeps running in the background, whichever way the session ends."""
    try:
        yield
    finally:
        if isinstance(researcher, Closable):
            researcher.close()


def _traced(ledger: Ledger) -> Ledger:
    """The ledger as installed telemetry wraps it, where somebody has asked for any."""
    if any(name.startswith("OTEL_") for name in os.environ):
        for wrap in registry.plugins("novum.telemetry").values():
            ledger = wrap(ledger)
    return ledger
