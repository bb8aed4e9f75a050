"""The signed statement of a pack: an in-toto Statement v1 in a DSSE envelope, under the lab's key.

Sources: github.com/in-toto/attestation (spec/v1/statement.md), github.com/secure-systems-lab/dsse (envelope.md).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from novum.audit.pack_file import ENVELOPE, strict_json
from novum.core.model.errors import IntegrityError
from novum.ledger.key import LabKey, fits, key_id
from novum.text.canonical_json import canonical

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://novum.invalid/finding/v1"
"""A name, not an address: nothing is to be found there (RFC 2606 keeps .invalid free)."""

PAYLOAD = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Statement:
    """What the lab signed: SHA-256 of each file by name, and what it says of them."""

    digests: Mapping[str, str]
    predicate: Mapping[str, Any]


def envelope(key: LabKey, statement: Statement) -> bytes:
    """The statement in its envelope, as canonical JSON."""
    subject = [{"digest": {"sha256": digest}, "name": name} for name, digest in sorted(statement.digests.items())]
    payload = canonical(
        {"_type": STATEMENT, "predicate": dict(statement.predicate), "predicateType": PREDICATE, "subject": subject}
    )
    signature = base64.b64encode(key.sign(PAYLOAD, payload)).decode()
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD,
            "signatures": [{"keyid": key_id(key.public), "sig": signature}],
        }
    )


def read_envelope(data: bytes, public: str) -> Statement:
    """The statement in an envelope that the key has signed. Raises IntegrityError."""
    outer = strict_json(data, ENVELOPE)
    try:
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in outer["signatures"][:16]]
        kind = str(outer["payloadType"])
    except (LookupError, TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError(f"{ENVELOPE} is no DSSE envelope: {error!r}") from error
    if kind != PAYLOAD or not any(fits(public, kind, payload, signature) for signature in signatures):
        raise IntegrityError(f"{ENVELOPE} is not signed with the key that signed the record")
    inner = strict_json(payload, f"the statement in {ENVELOPE}")
    try:
        if (inner["_type"], inner["predicateType"]) != (STATEMENT, PREDICATE):
            raise IntegrityError(f"{ENVELOPE} states something else than a finding: {str(inner['predicateType'])[:80]}")
        digests = {str(one["name"]): str(one["digest"]["sha256"]) for one in inner["subject"]}
        return Statement(digests, dict(inner["predicate"]))
    except (LookupError, TypeError, ValueError) as error:
        raise IntegrityError(f"{ENVELOPE} holds no in-toto statement: {error!r}") from error
