"""Verification of a lab or an evidence pack with the gate and the arena of its study."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from novum.core.engine.gc_pause import gc_paused
from novum.core.model.errors import StudyError
from novum.core.model.ports import (
    Arena,
)
from novum.core.model.study import Study

if TYPE_CHECKING:
    from novum.audit.verify import Verification


from novum.lab.arena_code import code_hash
from novum.lab.wiring import arena, arena_with_options, evidence, why_not_here


def verify(path: Path, problem: Arena | None = None, anchor: str = "") -> Verification:
    """Check the record of a lab or of an evidence pack with the gate and the arena of its study, or with `problem`.

    Without the arena only what needs no scores is checked, and the notes say so. anchor: a root published earlier,
    whose history the record must still contain. Raises IntegrityError for a file that is no pack, UserError.
    """
    from novum.audit.anchor import parse
    from novum.audit.pack_file import open_pack
    from novum.audit.score_checks import Rules
    from novum.audit.signatures import Known
    from novum.audit.verify import audit_of, walk
    from novum.audit.verify_pack import verify_pack
    from novum.gate.judge import BettingGate
    from novum.gate.tail import TailWatch
    from novum.lab.control_records import ControlRecords
    from novum.ledger.blobs import FileBlobs
    from novum.ledger.journal import Reader
    from novum.ledger.key import public_of

    def rules(study: Study) -> Rules:
        missing = "" if problem else why_not_here(study)
        known = problem or (None if missing else arena(study))
        return Rules(
            known,
            arena_with_options(study, problem),
            BettingGate(study.gate),
            evidence(study),
            TailWatch(study.gate),
            missing,
            _code(known),
        )

    root = parse(anchor) if anchor else None
    if os.path.isfile(path):  # noqa: PTH113 it takes any name, however long
        with open_pack(path) as pack:
            return verify_pack(pack, rules, Known(anchor=root))
    with Reader(path) as reader, closing(reader.rows()) as rows, gc_paused():
        audit = audit_of(FileBlobs(path / "blobs"), rules, Known(public_of(path), root))
        found = walk(rows, audit)
    return ControlRecords(path, rules).judge(found, audit) if found.ok else found


def _code(problem: Arena | None) -> str:
    """The hash of an arena's code, where there is one to be found."""
    try:
        return code_hash(problem.spec) if problem else ""
    except StudyError:
        return ""
