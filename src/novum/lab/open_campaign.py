"""How a campaign is opened or taken up again: the same rules, code and secret, or not at all."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from novum.arenas.program.bundle import unpacked
from novum.arenas.program.bundle_changes import BundleChanges, changes
from novum.core.engine.context import LabContext
from novum.core.events.campaign import CampaignOpened, IncumbentChanged, Provenance, SessionStarted
from novum.core.events.event import Event, Record
from novum.core.events.event_ports import Ledger
from novum.core.events.models_and_people import RequestTaken
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import LabMismatch
from novum.core.model.metric import COMPUTE
from novum.core.model.ports import Arena
from novum.core.model.request import Request
from novum.core.model.seeds import commitment
from novum.core.model.study import GateSettings, Guardrail, Study
from novum.core.model.trial import OutcomeKind
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.lab.arena_code import code_hash, opened_by
from novum.studies.load import CLEARLY_DEARER, EQUAL
from novum.version import __version__


def versions(problem: Arena) -> dict[str, str]:
    """What a result may depend on: versions of novum, Python, the system and the arena's modules."""
    found = {"novum": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in ("numpy", *problem.spec.requires):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def take_up(
    state: CampaignState,
    ledger: Ledger,
    rooms: LabContext,
    budget: Budget,
    where: Provenance | None = None,
    stale: Sequence[Request] = (),
) -> None:
    """Open the campaign unless the state has one, then start a session in it.

    where: what its trials depend on. stale: requests that were meant for an earlier session, which are taken down.
    """
    from novum.ledger.journal import SCHEMA

    study, problem = rooms.study, rooms.arena
    opening: list[Event] = []
    if not state.opened:
        baseline = Candidate(problem.space.validate(study.baseline or problem.spec.baseline))
        opening = [
            CampaignOpened(
                study,
                problem.spec,
                code_hash(problem.spec),
                commitment(rooms.keyring.secret),
                versions(problem),
            ),
            IncumbentChanged(baseline, problem.cost(baseline.genome), None),
        ]
    opening += [RequestTaken(one.id, one.act, one.author, "it came too late for its session") for one in stale]
    opening.append(
        SessionStarted(
            state.session + 1,
            budget,
            rooms.slots,
            os.getpid(),
            socket.gethostname(),
            versions(problem),
            where or Provenance(),
            SCHEMA,
        )
    )
    for record in ledger.append(opening, durable=True):
        apply(state, record.event)


def as_recorded(study: Study, recorded: Study) -> Study:
    """The study with what its campaign recorded, where today's differs in nothing that anybody has chosen.

    That is the program, where only files changed that do not matter, and settings that there were not yet when the
    campaign was opened.
    """
    study = _before_equal_compute(_before_choices(study, recorded), recorded)
    found = program_changes(study, recorded)
    return replace(study, options=recorded.options) if found and not found.rules else study


LATER_SETTINGS = ("claim", "scale", "floor", "optimism", "arms", "interval", "planned")
"""Settings of the gate that a record of an earlier version has the former behaviour of."""


def _before_choices(study: Study, recorded: Study) -> Study:
    """Settings left at today's defaults are those of an older campaign."""
    if recorded.gate.scale != "incumbent":
        return study
    usual, gate = GateSettings(), study.gate
    kept = {
        name: getattr(recorded.gate, name) for name in LATER_SETTINGS if getattr(gate, name) == getattr(usual, name)
    }
    further = replace(study.follow_up, distil=recorded.follow_up.distil) if study.follow_up.distil else study.follow_up
    return replace(study, gate=replace(gate, **kept), follow_up=further)


def _before_equal_compute(study: Study, recorded: Study) -> Study:
    """A program's campaign from before compute was held equal by default goes on without that."""
    usual = Guardrail(COMPUTE, EQUAL)
    if recorded.arena != "program" or COMPUTE in {one.metric for one in recorded.gate.guardrails}:
        return study
    rails = tuple(one for one in study.gate.guardrails if one != usual)
    watchdog = study.watchdog
    if watchdog.cost_factor == CLEARLY_DEARER:
        watchdog = replace(watchdog, cost_factor=recorded.watchdog.cost_factor)
    return replace(study, gate=replace(study.gate, guardrails=rails), watchdog=watchdog)


def program_changes(study: Study, recorded: Study) -> BundleChanges | None:
    """What has changed in the directory of a program study; None where there is no program, or the same."""
    was, now = recorded.options.get("bundle"), study.options.get("bundle")
    if not (study.arena == recorded.arena == "program" and isinstance(was, str) and isinstance(now, str)) or was == now:
        return None
    return changes(unpacked(was), unpacked(now))


def check_same(state: CampaignState, rooms: LabContext, directory: Path, record: Iterable[Record]) -> None:
    """Hold a session to the campaign that it takes up. record: its events, read only as far as a message needs them.

    Raises LabMismatch.
    """
    from novum.ledger.codec import plain

    before, now = plain(state.study), plain(rooms.study)
    program = program_changes(rooms.study, state.study)
    changed = [f"{key} was {_brief(before[key])} and is {_brief(now[key])}" for key in now if before[key] != now[key]]
    if program:
        changed = [*program.rules, *(one for one in changed if not one.startswith("options was"))]
    if changed:
        raise LabMismatch(
            f"the lab {directory} holds a campaign with other rules ({'; '.join(changed)}): rules are fixed when a "
            "campaign opens; put back what was, or choose another --lab DIR for a campaign with the new ones",
            unscored=not state.outcomes[OutcomeKind.SCORED],
        )
    if code_hash(rooms.arena.spec) != state.code:
        who = opened_by(record)
        raise LabMismatch(
            f"the code of the arena has changed since the campaign in {directory} was opened"
            f"{f' (by {who})' if who else ''}, so its runs cannot be compared any more: go back to that code to finish "
            "it, or choose another --lab DIR"
        )
    if commitment(rooms.keyring.secret) != state.secret_commitment:
        raise LabMismatch(f"{directory}/lab.secret is not the one the campaign was opened with: restore it")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:140]} ... {text[-20:]} (changed)"
