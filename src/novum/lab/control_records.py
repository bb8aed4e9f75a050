"""The controls of a preflight, judged again from their own records in `LAB/preflight`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from novum.audit.auditor import Audit
from novum.audit.checks.in_digits import differing
from novum.audit.checks.preflight_audit import by_this_version
from novum.audit.not_shown import controls_not_here
from novum.audit.score_checks import Rules
from novum.audit.signatures import Known, Signatures
from novum.audit.verify import Verification, walk
from novum.core.events.campaign import Check, PreflightRecorded
from novum.core.model.budget import Spent
from novum.core.model.candidate import Candidate
from novum.core.model.errors import IntegrityError, NovumError
from novum.core.model.study import Study
from novum.core.state.campaign_state import CampaignState
from novum.gate.preflight_checks import MOVES
from novum.lab.controls import NEGATIVE, NULL_CHANGE, POSITIVE, Control, controls_of, head_of, study_of
from novum.ledger.blobs import FileBlobs
from novum.ledger.codec import plain
from novum.ledger.journal import SCHEMA, Reader
from novum.ledger.key import public_of
from novum.text.canonical_json import canonical
from novum.text.format import counted

NAMES = frozenset({POSITIVE, NEGATIVE, NULL_CHANGE})


@dataclass
class ControlRecords:
    """The answers of controls that a lab has recorded, and what their own records say."""

    directory: Path
    make_rules: Callable[[Study], Rules]
    states: dict[str, CampaignState] = field(default_factory=dict)
    """The end of each control that was judged again, by the head of its record."""
    missing: list[str] = field(default_factory=list)

    def judge(self, found: Verification, audit: Audit) -> Verification:
        """`found` by `audit`, with the first answer of a control that its own record does not give."""
        before: dict[str, Check] = {}
        state = audit.state
        known = {one.name: one for one in self._controls(state)} if audit.record.preflights else {}
        for seq, schema, event in audit.record.preflights:
            try:
                self._preflight(event, before, state.study, known, silent=schema < SCHEMA)
            except IntegrityError as error:
                lie = f"event {seq} (preflight_recorded): {error}"
                return replace(found, ok=False, lie=lie, notes=(), not_shown=())
            before = {one.name: one for one in event.checks}
        done = [f"{counted(len(self.states), 'control')} of the preflight judged again"] if self.states else []
        left = [controls_not_here(self.missing)] if self.missing else []
        return replace(found, notes=(*found.notes, *done), not_shown=(*found.not_shown, *left))

    @staticmethod
    def _controls(state: CampaignState) -> Iterator[Control]:
        return controls_of(state.study, state.spec, state.incumbents[0].candidate.genome)

    def _preflight(
        self,
        event: PreflightRecorded,
        before: dict[str, Check],
        study: Study,
        controls: dict[str, Control],
        *,
        silent: bool,
    ) -> None:
        """Hold the answers of one preflight against their records. silent: of a version that did not name them."""
        asked: list[CampaignState] = []
        whole = True
        for check in event.checks:
            kept = before.get(check.name)
            if check.name not in NAMES or kept == check:
                continue
            if check.name not in controls:
                raise IntegrityError(f"the arena declares no {check.name}, and it has an answer")
            if not check.record:
                whole = whole and silent
                if check.asked and not silent:
                    raise IntegrityError(f"the {check.name} has an answer, and no record of its own")
                continue
            state = self._state(check, study, controls[check.name])
            whole = whole and state is not None
            asked += [state] if state else []
        if whole and not silent:
            _paid(event, sum((one.spent for one in asked), Spent()), before)

    def _state(self, check: Check, study: Study, control: Control) -> CampaignState | None:
        """The end of a control, held against its answer; None when its record is not here."""
        place = self._place(check.record)
        if place is None:
            self.missing.append(check.name)
            return None
        audit = Audit(FileBlobs(place / "blobs"), self.make_rules, Signatures(Known(public_of(place))))
        with Reader(place) as reader, closing(reader.rows()) as rows:
            done = walk(rows, audit)
        name = f"the record of the {check.name} (preflight/{place.name})"
        if not done.ok:
            raise IntegrityError(f"{name} does not hold: {done.lie}")
        if canonical(plain(audit.state.study)) != canonical(plain(study_of(study, control))):
            raise IntegrityError(f"{name} is one of another study")
        _candidate(name, audit, control)
        honest = replace(control.conclude(audit.state), record=check.record)
        same = check == honest if by_this_version(audit.state) else check.ok is honest.ok
        if not same:
            raise IntegrityError(f"the {check.name} is told as: {check.words}; its own record says: {honest.words}")
        self.states[check.record] = audit.state
        return audit.state

    def _place(self, head: str) -> Path | None:
        """The lab whose record ends with this hash."""
        for place in sorted((self.directory / "preflight").glob("*/")):
            try:
                if head_of(place) == head:
                    return place
            except NovumError:
                continue
        return None


def _candidate(name: str, audit: Audit, control: Control) -> None:
    """The one candidate of a control is the one that the arena declares."""
    arena = audit.rules.arena if audit.rules else None
    if arena and audit.state.hypotheses:
        known = Candidate(arena.space.validate(control.genome)).id
        if any(one.candidate.id != known for one in audit.state.hypotheses.values()):
            raise IntegrityError(f"{name} is of another candidate than the arena declares")


def _paid(event: PreflightRecorded, used: Spent, before: dict[str, Check]) -> None:
    """What controls cost is what their records add up to; changed candidates are tried beside them."""
    beside = next((one for one in event.checks if one.name == MOVES), None)
    if beside and before.get(MOVES) != beside:
        if event.trials < used.trials or event.cpu_seconds < used.cpu_seconds - 1e-6:
            raise IntegrityError(f"the preflight cost {event.trials} trials, and its controls took {used.trials}")
        return
    if said := differing([("trials", event.trials, used.trials), ("CPU seconds", event.cpu_seconds, used.cpu_seconds)]):
        raise IntegrityError(f"what the preflight cost is not what its controls took: {said}")
