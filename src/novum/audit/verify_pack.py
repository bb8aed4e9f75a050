"""Whether an evidence pack is true: its record, what the lab signed, and that nothing the finding rests on is missing.

Works without the lab, and reads the pack as something that anybody may have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from novum.audit.attestation import Statement, read_envelope
from novum.audit.auditor import Audit
from novum.audit.evidence_bundle import Dossier, dossier
from novum.audit.not_shown import controls_not_here
from novum.audit.pack import derived, records
from novum.audit.pack_file import BLOBS, ENVELOPE, KEY, LEDGER, Pack, PackBlobs
from novum.audit.score_checks import Rules
from novum.audit.signatures import Known, Signatures
from novum.audit.verify import Verification, walk
from novum.core.model.errors import IntegrityError, UserError
from novum.core.model.study import Study
from novum.text.canonical_json import canonical

_OF_ANY_VERSION = ("candidate", "effect", "incumbent", "interval", "level", "metric")
"""Of a claim: what is data of the record, whichever version words it."""


def verify_pack(pack: Pack, make_rules: Callable[[Study], Rules], known: Known | None = None) -> Verification:
    """Check a pack; the first lie is named."""
    audit = Audit(PackBlobs(pack), make_rules, Signatures(known or Known()))
    audit.scores.left_out = lambda address: not pack.holds(address)
    done = walk(pack.rows(), audit)
    if not done.ok:
        return done
    try:
        found, unchecked = _stated(pack, audit)
    except (IntegrityError, UserError) as error:
        return replace(done, ok=False, lie=str(error), notes=(), not_shown=())
    words = f"finding {found.hypothesis.id}, {found.grade}: {found.claim}"
    notes = (words, *done.notes, *_unseen(audit))
    preflight = audit.state.preflight
    controls = [one.name for one in preflight.checks if one.record] if preflight else []
    left = (*done.not_shown, controls_not_here(controls)) if controls else done.not_shown
    return replace(done, ok=not unchecked, notes=notes, unchecked=tuple(unchecked), not_shown=left)


def finding_of(pack: Pack, key: str) -> Statement:
    """What the lab states of a pack, once every file is the one that it signed. Raises IntegrityError."""
    if not key:
        raise IntegrityError("the record in the pack is not signed")
    statement = read_envelope(pack.read(ENVELOPE), key)
    for name in sorted(pack.names - {ENVELOPE}):
        if name not in statement.digests:
            raise IntegrityError(f"the pack holds {name}, of which the signed statement says nothing")
        if pack.digest(name) != statement.digests[name]:
            raise IntegrityError(f"{name} is not the file that was signed")
    if missing := sorted(set(statement.digests) - pack.names):
        raise IntegrityError(f"the pack holds no {missing[0][:80]!r}, which was signed with the others")
    return statement


def _stated(pack: Pack, audit: Audit) -> tuple[Dossier, list[str]]:
    """What the statement is about, and what of the pack could not be made again. Raises IntegrityError, UserError."""
    key = audit.signatures.key
    statement = finding_of(pack, key)
    said = statement.predicate
    found = dossier(records(pack.rows()), str(said.get("finding"))[:80])
    _complete(found, audit)
    honest = found.predicate()
    writer = _writer(said.get("novum"))
    same_code = writer[1] == honest["novum"]["code"]
    for name, given, wanted in _claims(said, honest, whole=same_code):
        if canonical(given) != canonical(wanted):
            raise IntegrityError(f"the signed statement says another {name} than the record")
    sizes = {name: pack.size(name) for name in pack.names if name.startswith(BLOBS) or name == LEDGER}
    differing = [name for name, data in derived(found, key, sizes).items() if pack.read(name) != data]
    if differing and (same_code or KEY in differing):
        raise IntegrityError(f"{KEY if KEY in differing else differing[0]} does not say what the record says")
    if not differing:
        return found, []
    return found, [
        f"{', '.join(differing)}: the statement names novum {writer[0]} (code {writer[1][:12]}) as who wrote them, and "
        "this version writes them otherwise, so that nothing in them was checked: verify the pack with that version, "
        "or read what this check says instead"
    ]


def _claims(said: Mapping[str, Any], honest: dict[str, Any], *, whole: bool) -> Iterator[tuple[str, Any, Any]]:
    """What the statement says and what follows from the record, by name: all of it, or what any version would say."""
    if whole:
        yield from ((name, said.get(name), value) for name, value in honest.items())
        return
    yield from ((name, said.get(name), honest[name]) for name in ("lab", "ledger", "anchor"))
    claim = said.get("claim")
    claim = claim if isinstance(claim, dict) else {}
    yield from (("claim", claim.get(name), honest["claim"][name]) for name in _OF_ANY_VERSION)


def _writer(said: object) -> tuple[str, str]:
    """Version and code of the Novum that a statement names."""
    known = said if isinstance(said, dict) else {}
    return str(known.get("version", said))[:40], str(known.get("code", "unknown"))


def _unseen(audit: Audit) -> list[str]:
    count = len(audit.scores.unseen)
    words = f"{count} scores of other trials stand as recorded: their artefacts are not in the pack"
    return [words] if count else []


def _complete(found: Dossier, audit: Audit) -> None:
    """Hold the artefacts of the pack against what the finding rests on. Raises IntegrityError."""
    needed = {trial.trial for trial in found.rests_on}
    for one in audit.scores.unseen:
        if one.trial in needed:
            raise IntegrityError(
                f"the artefact of trial {one.trial}, on which {found.hypothesis.id} rests, is not in the pack"
            )
