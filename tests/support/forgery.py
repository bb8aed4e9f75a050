"""What somebody with the database, or with the lab's key as well, can do to a record or an evidence pack."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import zipfile
from pathlib import Path

from novum.audit.attestation import Statement, envelope
from novum.audit.pack_file import ENVELOPE, write_archive
from novum.core.model.errors import IntegrityError, UserError
from novum.lab import verification
from novum.ledger.chain import GENESIS, link
from novum.ledger.key import LabKey, load_key
from novum.ledger.signed import CHECKPOINT, statement
from novum.text.canonical_json import canonical


def rewrite(lab, edit, key: LabKey | None = None, *, adjust=False) -> None:
    """Let `edit` change the list of [time, actor, kind, payload], and hash it anew; sign it anew with `key`.

    adjust: without a key, let each checkpoint name the new head under its old signature.
    """
    with sqlite3.connect(lab / "lab.db") as db:
        rows = db.execute("SELECT time, actor, kind, payload FROM events ORDER BY seq").fetchall()
        rows = [list(row) for row in rows]
        edit(rows)
        commitment = json.loads(rows[0][3]).get("secret_commitment", "")
        db.execute("DELETE FROM events")
        head = GENESIS
        for seq, (time, actor, kind, payload) in enumerate(rows, start=1):
            if kind == "checkpoint_signed" and key:
                signature = key.sign(CHECKPOINT, statement(commitment, seq - 1, head)).hex()
                payload = text({"head": head, "public_key": key.public, "seq": seq - 1, "signature": signature})
            elif kind == "checkpoint_signed" and adjust:
                payload = text({**json.loads(payload), "head": head, "seq": seq - 1})
            head = link(head, seq, time, actor, kind, payload)
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (seq, time, actor, kind, payload, head))
    db.close()


def forge(lab, kind, edit, only="", *, signed=True) -> int:
    """Edit the payload of the first event of a kind with `only` in it, as its owner could (or, unsigned, a thief)."""
    seen = []

    def change(rows):
        place = next(n for n, row in enumerate(rows) if row[2] == kind and only in row[3])
        value = json.loads(rows[place][3])
        edit(value)
        rows[place][3] = text(value)
        seen.append(place + 1)

    rewrite(lab, change, load_key(lab, create=False) if signed else None)
    return seen[0]


def text(value) -> str:
    return canonical(value).decode()


def contents(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(pack, tmp_path, **files) -> Path:
    """The pack with some files replaced (None: left out)."""
    path = tmp_path / "changed.zip"
    kept = {**contents(pack), **files}
    write_archive(path, {name: data for name, data in kept.items() if data is not None})
    return path


def refused(path) -> str:
    """Why a pack is not believed."""
    try:
        found = verification.verify(path)
    except (IntegrityError, UserError) as error:
        return str(error)
    assert not found.ok, "believed"
    assert found.lie
    return found.lie


def resigned(pack, tmp_path, key, edit) -> Path:
    """The pack with its files and statement edited, and signed again with a key."""
    files = contents(pack)
    inner = json.loads(base64.b64decode(json.loads(files.pop(ENVELOPE))["payload"]))
    predicate = inner["predicate"]
    edit(files, predicate)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[ENVELOPE] = envelope(key, Statement(digests, predicate))
    path = tmp_path / "resigned.zip"
    write_archive(path, files)
    return path
