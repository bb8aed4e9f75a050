"""The evidence pack of a finding: one file with which a stranger can judge it again.

It holds the whole record, not only the events about the finding. A part of a hash chain is worth little without a hash
for each event left out, which is more than half of what the events themselves take when they are packed; and only the
whole record shows that no run of the finding was left out. Artefacts, which are large, are those it rests on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from novum.audit.attestation import Statement, envelope
from novum.audit.evidence_bundle import Dossier, dossier
from novum.audit.pack_file import BLOBS, CRATE, ENVELOPE, ENVIRONMENT, KEY, LEDGER, PAGE, Row, line, write_archive
from novum.audit.pack_page import page
from novum.audit.ro_crate import crate
from novum.core.events.event import Record
from novum.core.model.errors import IntegrityError, LabMismatch, UserError
from novum.ledger.blobs import FileBlobs
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import decode
from novum.ledger.journal import Reader
from novum.ledger.key import load_key, public_pem
from novum.text.canonical_json import canonical


def write_pack(directory: Path, finding: str, path: Path) -> int:
    """Write the evidence pack of a finding of the lab in `directory`; returns its size in bytes.

    The same state of the lab gives the same bytes. Raises IntegrityError for a record that contradicts itself,
    LabMismatch, StorageError, UserError (no such finding, no key to sign with).
    """
    with Reader(directory) as reader, closing(reader.rows()) as read:
        rows = list(read)
    found = dossier(records(rows), finding)
    if not found.state.public_key:
        raise UserError(f"the record of {directory} is not signed yet: take the campaign up once with this version")
    key = load_key(directory, create=False)
    if key.public != found.state.public_key:
        raise LabMismatch(f"{directory}/lab.key is not the one that signed the record: restore it")
    blobs = FileBlobs(directory / "blobs")
    files = {LEDGER: b"".join(map(line, rows)), **{BLOBS + name: blobs.get(name) for name in found.artefacts}}
    files |= derived(found, key.public, {name: len(data) for name, data in files.items()})
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[ENVELOPE] = envelope(key, Statement(digests, found.predicate()))
    return write_archive(path, files)


def derived(found: Dossier, key: str, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """The files of a pack that follow from its record. key: public, in hexadecimal; sizes: bytes of all others."""
    files = {
        ENVIRONMENT: canonical(found.environment()) + b"\n",
        KEY: public_pem(key),
        PAGE: page(found, key),
    }
    return {**files, CRATE: crate(found, {**sizes, **{name: len(data) for name, data in files.items()}})}


def records(rows: Iterable[Row]) -> Iterator[Record]:
    """The events behind rows, with the chain checked. Raises IntegrityError, by event."""
    head = GENESIS
    for seq, time, actor, kind, payload, recorded in rows:
        try:
            head = link(head, seq, time, actor, kind, payload)
            if head != recorded:
                raise IntegrityError("its hash does not follow from its content and the hash before it")
            yield Record(seq, time, actor, kind, decode(kind, payload), head)
        except (IntegrityError, ValueError, TypeError) as error:
            raise IntegrityError(f"event {seq} ({kind}): {error}: see `novum verify`") from error
