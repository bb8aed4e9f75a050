"""What somebody with the database, or with the lab's key as well, can do to a record."""

from __future__ import annotations

import json
import sqlite3

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
