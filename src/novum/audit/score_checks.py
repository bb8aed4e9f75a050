"""Scores computed again: from the artefact, with the seed, once the key behind it is public."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from novum.core.engine.artifact_store import fetch, room
from novum.core.engine.context import role_of
from novum.core.events.event_ports import Gate, TailGate
from novum.core.events.trials import TrialFinished
from novum.core.model import seeds
from novum.core.model.candidate import Setting
from novum.core.model.errors import IntegrityError
from novum.core.model.ports import Arena, Blobs, Evidence
from novum.core.model.study import Study
from novum.core.model.trial import ArtefactError, Trial, TrialGroup
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.state.arm import arm_id

Seal = tuple[str, bool]
"""Outcomes whose seeds become public together: the arm (subject:attempt), and whether of a follow-up."""


@dataclass(frozen=True)
class Rules:
    """What a record is judged by again. `arena` None: its scores cannot be computed; `missing` says why."""

    arena: Arena | None
    arena_with_options: Callable[[Setting], Arena]
    gate: Gate
    evidence: Evidence
    tails: TailGate
    missing: str = ""
    code: str = ""
    """SHA-256 of the arena's code here."""


def seal(arm: str, purpose: Purpose) -> Seal:
    """The seal of outcomes."""
    return arm, purpose is Purpose.FOLLOW_UP


def seal_of(plan: Plan) -> Seal:
    """The seal of a plan's outcomes."""
    return seal(plan.arm or arm_id(plan.subject, plan.attempt), plan.purpose)


def close(one: float, other: float) -> bool:
    """Equal but for the last digits."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


@dataclass
class Scores:
    """Outcomes under their seals, and how many scores have been computed again."""

    blobs: Blobs
    left_out: Callable[[str], bool] = lambda _: False
    """Whether the artefact of an address was left out on purpose; such outcomes are `unseen`, not checked."""
    unseen: list[TrialFinished] = field(default_factory=list)
    exact: bool = False
    """Whether outcomes say what their artefacts take; the first labs did not."""
    sealed: dict[Seal, list[tuple[TrialFinished, Plan]]] = field(default_factory=dict)
    done: int = 0

    @property
    def waiting(self) -> int:
        """Outcomes whose seeds are not public yet."""
        return sum(len(outcomes) for outcomes in self.sealed.values())

    def hold(self, event: TrialFinished, plan: Plan) -> None:
        """Check an artefact, and keep its outcome until its seed is public. Raises IntegrityError."""
        if self._absent(event):
            return
        self._stored(event, fetch(self.blobs, event.artefact or ""))
        self.sealed.setdefault(seal_of(plan), []).append((event, plan))

    def reveal(self, name: Seal, key: str, commitment: str, rules: Rules, study: Study) -> None:
        """A key is out: check that it is the one committed to, and the scores behind it. Raises IntegrityError."""
        if commitment and hashlib.sha256(bytes.fromhex(key)).hexdigest() != commitment:
            raise IntegrityError(f"the seed key of {name[0]} is not the one that was committed to")
        for event, plan in self.sealed.pop(name, []):
            self.check(event, plan, bytes.fromhex(key), rules, study)

    def check(self, event: TrialFinished, plan: Plan, key: bytes, rules: Rules, study: Study) -> None:
        """Score one artefact again. Raises IntegrityError."""
        if self._absent(event):
            return
        data = fetch(self.blobs, event.artefact or "")
        self._stored(event, data)
        if rules.arena is None:
            return
        member, options = plan.members[event.member], study.options
        if plan.options:
            options = {**options, **plan.options}
        trial = Trial(event.trial, seeds.seed(key, member.index), member.setting)
        group = TrialGroup(plan.id, plan.candidate, (trial,), options, plan.fidelity, study.limits, role_of(plan))
        arena = rules.arena_with_options(options) if plan.options else rules.arena
        try:
            score = arena.score(group, trial, data)
        except ArtefactError as error:
            raise IntegrityError(f"the artefact of {event.trial} cannot be scored: {error}") from error
        if event.score is None or not close(score.value, event.score):
            raise IntegrityError(
                f"trial {event.trial} was recorded with {event.score}, its artefact scores {score.value}"
            )
        if dict(score.others) != dict(event.others):
            raise IntegrityError(f"trial {event.trial} was recorded with other metrics than its artefact gives")
        self.done += 1

    def attached(self, address: str, what: str) -> None:
        """Check an artefact that is no outcome, if there is one. Raises IntegrityError."""
        if address and self.left_out(address):
            raise IntegrityError(f"{what} is not in the pack")
        if address:
            fetch(self.blobs, address)

    def _stored(self, event: TrialFinished, data: bytes) -> None:
        if self.exact and event.stored_bytes != room(data):
            raise IntegrityError(
                f"trial {event.trial} says that its artefact takes {event.stored_bytes} bytes, it takes {room(data)}"
            )

    def _absent(self, event: TrialFinished) -> bool:
        if not self.left_out(event.artefact or ""):
            return False
        self.unseen.append(event)
        return True
