"""How a campaign is opened or taken up again: the same rules, code and secret, or not at all."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import socket
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from novum.core.engine.context import LabContext
from novum.core.events.campaign import CampaignOpened, IncumbentChanged, Provenance, SessionStarted
from novum.core.events.event import Event
from novum.core.events.event_ports import Ledger
from novum.core.events.models_and_people import RequestTaken
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import LabMismatch, StudyError
from novum.core.model.ports import Arena
from novum.core.model.request import Request
from novum.core.model.seeds import commitment
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.text.canonical_json import digest
from novum.version import __version__


def code_hash(program: str) -> str:
    """SHA-256 over the Python files of the package that a worker program stands in (or of its one module)."""
    spec = importlib.util.find_spec(program)
    if spec is None or spec.origin is None:
        raise StudyError(f"the worker program {program!r} cannot be found: is its directory in PYTHONPATH?")
    origin = Path(spec.origin)
    files = sorted(origin.parent.glob("*.py")) if "." in program else [origin]
    return digest([[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in files])


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
    study, problem = rooms.study, rooms.arena
    opening: list[Event] = []
    if not state.opened:
        baseline = Candidate(problem.space.validate(study.baseline or problem.spec.baseline))
        opening = [
            CampaignOpened(
                study,
                problem.spec,
                code_hash(problem.spec.program),
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
        )
    )
    for record in ledger.append(opening, durable=True):
        apply(state, record.event)


def check_same(state: CampaignState, rooms: LabContext, directory: Path) -> None:
    """Hold a session to the campaign that it takes up. Raises LabMismatch."""
    from novum.ledger.codec import plain

    before, now = plain(state.study), plain(rooms.study)
    changed = [f"{key} was {_brief(before[key])} and is {_brief(now[key])}" for key in now if before[key] != now[key]]
    if changed:
        raise LabMismatch(
            f"the lab {directory} holds a campaign with other rules ({'; '.join(changed)}): rules are fixed when a "
            "campaign opens; choose another --lab DIR"
        )
    if code_hash(rooms.arena.spec.program) != state.code:
        raise LabMismatch(
            f"the code of the arena has changed since the campaign in {directory} was opened, so its runs cannot be "
            "compared any more: go back to that code, or choose another --lab DIR"
        )
    if commitment(rooms.keyring.secret) != state.secret_commitment:
        raise LabMismatch(f"{directory}/lab.secret is not the one the campaign was opened with: restore it")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:140]} ... {text[-20:]} (changed)"
