"""Whether the record is true: walk the chain, and judge every claim again from the raw outcomes.

Checked, in the order of the events, so that the first lie is named:
- the hash chain: nothing changed, missing, inserted or moved;
- each event is one of the known kinds and fits its type;
- artefacts are present, unaltered, and give the recorded score (once the seeds of their trials are public);
- a confirmation is registered before its first trial, and its stake follows from the evidence ledger;
- the revealed key is the one that was committed to;
- every verdict, with E, threshold and pairs, and the evidence account after it, follow from the recorded outcomes;
- each checkpoint is signed over the record before it, all with the same key.

Not checked: that the owner, who has the key, did not write the whole chain anew (an anchor published in time shows it),
and that the workers ran what they were sent (`novum replay` runs it again).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from novum.audit.auditor import CONTRADICTIONS, Audit
from novum.audit.not_shown import not_shown
from novum.audit.score_checks import Rules
from novum.audit.signatures import Known, Signatures
from novum.core.model.errors import IntegrityError
from novum.core.model.ports import Blobs
from novum.core.model.study import Study
from novum.ledger.chain import GENESIS, link
from novum.ledger.read_ahead import Row, read_ahead


@dataclass(frozen=True)
class Verification:
    """The outcome of a check: `lie` names the first contradiction and its event, or is empty.

    ok: nothing contradicts the record, and nothing that is said beside it went unchecked.
    """

    ok: bool
    lie: str
    events: int
    trials: int
    verdicts: int
    scores: int
    head: str
    notes: tuple[str, ...] = ()
    checkpoints: int = 0
    """How many signed ones were good."""
    key: str = ""
    """The public key (hexadecimal) of them all."""
    signed: bool = False
    """Whether any is; an unsigned record may be anybody's."""
    unchecked: tuple[str, ...] = ()
    """What a pack says beside its record that could not be made again here: it is not `ok` then, nor shown to lie."""
    not_shown: tuple[str, ...] = ()
    """What no check of this record can show, and what to do about it."""


def verify_lab(
    rows: Iterable[Row], blobs: Blobs, make_rules: Callable[[Study], Rules], known: Known | None = None
) -> Verification:
    """Walk the rows of a ledger (seq, time, actor, kind, payload, hash); stops at the first lie."""
    return walk(rows, audit_of(blobs, make_rules, known))


def audit_of(blobs: Blobs, make_rules: Callable[[Study], Rules], known: Known | None = None) -> Audit:
    """An audit that has seen nothing yet."""
    return Audit(blobs, make_rules, Signatures(known or Known()))


def walk(rows: Iterable[Row], audit: Audit) -> Verification:
    """Let `audit` take the rows of a ledger; stops at the first lie."""
    head, seen, signatures, lie = GENESIS, 0, audit.signatures, ""
    try:
        for row, event, exact in read_ahead(rows):
            seq, time, actor, kind, payload, recorded = row
            before = seen, head
            try:
                if seq != seen + 1:
                    raise IntegrityError(f"event {seen + 1} is missing")
                following = link(head, seq, time, actor, kind, payload)
                if following != recorded:
                    raise IntegrityError("its hash does not follow from its content and the hash before it")
                if isinstance(event, IntegrityError):
                    raise event
                audit.forms.check(row, event, audit.state, exact=exact)
                audit.take(event, before)
                signatures.expect(seq, event, audit.state.schema)
                signatures.reach(seq, following)
            except (IntegrityError, *CONTRADICTIONS) as error:
                raise IntegrityError(f"event {seq} ({kind}): {error}") from error
            seen, head = seq, following
        audit.record.end()
        signatures.end(seen, closed=not audit.state.session_open and audit.state.session > 0)
    except IntegrityError as error:
        lie = str(error)
    done = Verification(not lie, lie, seen, audit.trials, audit.verdicts, audit.scores.done, head)
    if lie:
        return done
    notes = (*_notes(audit), *signatures.notes(done.events))
    return replace(
        done,
        notes=notes,
        checkpoints=signatures.good,
        key=signatures.key,
        signed=signatures.good > 0,
        not_shown=tuple(not_shown(audit, seen)),
    )


def _notes(audit: Audit) -> tuple[str, ...]:
    unscored = audit.scores.waiting
    notes = [f"{audit.scores.done} scores computed again from their artefacts"]
    if audit.rules and audit.rules.arena is None:
        notes = [f"the lab's arena is not here, so its scores were not computed again: {audit.rules.missing}"]
    if unscored:
        notes.append(
            f"{unscored} scores belong to open or superseded confirmations or scales whose seeds are still sealed"
        )
    if not audit.state.opened:
        notes = ["the ledger is empty"]
    return tuple(notes)
