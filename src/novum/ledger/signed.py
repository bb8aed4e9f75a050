"""A ledger that signs itself: after what matters, and after so many events, the head so far under the lab's key.

A checkpoint covers everything up to the event before it, because each hash covers all before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from novum.core.events.campaign import CheckpointSigned, SessionEnded, SessionStarted
from novum.core.events.event import Event, Record
from novum.core.events.event_ports import Ledger
from novum.core.events.verdicts import FindingRecorded, FollowUpClosed
from novum.ledger.key import LabKey
from novum.text.canonical_json import canonical

EVERY = 2000
"""Events after which a checkpoint is due at the latest."""

CHECKPOINT = "application/vnd.novum.checkpoint+json"
"""The type of what is signed, for the pre-authentication encoding."""

WORTH_SIGNING = (SessionStarted, SessionEnded, FindingRecorded, FollowUpClosed)
"""Events with a checkpoint behind them, or behind those that were appended with them."""


def statement(lab: str, seq: int, head: str) -> bytes:
    """What a checkpoint signs: canonical JSON. lab: the commitment to its secret; head: the hash of event `seq`."""
    return canonical({"head": head, "lab": lab, "seq": seq})


@dataclass
class SignedLedger:
    """The Ledger port over another one. `lab`: the commitment to the lab's secret."""

    ledger: Ledger
    key: LabKey
    lab: str
    unsigned: int = 0

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        """Append in order, and a checkpoint behind them when one is due; it is among the records."""
        batch = list(events)
        due = any(isinstance(event, WORTH_SIGNING) for event in batch) or self.unsigned + len(batch) >= EVERY
        records = list(self.ledger.append(batch, durable=durable and not due))
        self.unsigned += len(records)
        if due:
            records.extend(self.ledger.append([self._checkpoint(records[-1])], durable=durable))
            self.unsigned = 0
        return records

    def read(self, after: int = 0) -> Iterable[Record]:
        return self.ledger.read(after)

    def _checkpoint(self, last: Record) -> CheckpointSigned:
        signature = self.key.sign(CHECKPOINT, statement(self.lab, last.seq, last.hash))
        return CheckpointSigned(last.seq, last.hash, self.key.public, signature.hex())
