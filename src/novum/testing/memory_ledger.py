"""The ledger without a disk: a shipped double for tests and throw-away labs. Nothing in it survives the process."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from novum.core.events.event import Event, Record, kind_of
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import decode, encode


class MemoryLedger:
    """The Ledger port over a list."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:  # noqa: ARG002 nothing here is durable
        """Append in order; events pass through the codec as they would on disk."""
        added = []
        payloads = [(event, encode(event)) for event in events]
        for event, payload in payloads:
            head = self._records[-1].hash if self._records else GENESIS
            seq, now, actor, kind = (
                len(self._records) + 1,
                time.time_ns() // 1000,
                event.acted_by(),
                kind_of(type(event)),
            )
            record = Record(seq, now, actor, kind, decode(kind, payload), link(head, seq, now, actor, kind, payload))
            self._records.append(record)
            added.append(record)
        return added

    def read(self, after: int = 0) -> Iterable[Record]:
        """Records after a sequence number."""
        return list(self._records[after:])
