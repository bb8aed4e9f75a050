"""Ports over events: the ledger that keeps them, and the gate that judges by a registered rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from novum.core.events.event import Event, Record
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.verdict import Estimate, Judgement, Pair, TailEvidence


class Ledger(Protocol):
    """The append-only record. Only one process may append; anybody may read."""

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        """Append in order and return the records. `durable`: on disk when this returns, else within 50 ms."""
        ...

    def read(self, after: int = 0) -> Iterable[Record]:
        """Records with a sequence number greater than `after`, in order."""
        ...


class Gate(Protocol):
    """Whether we believe it: pure functions of a registered rule and paired outcomes."""

    def judge(self, rule: ConfirmationOpened, pairs: Sequence[Pair], judged: int, discoveries: int) -> Judgement:
        """Verdict on the pairs in order; `judged` of them were seen by an earlier call that said: go on."""
        ...

    def size(self, rule: ConfirmationOpened, pairs: Sequence[Pair], judged: int, bar: float) -> Estimate:
        """Effect and interval: the first `judged` pairs reached `bar` and chose the claim, the others are fresh."""
        ...


class TailGate(Protocol):
    """What later runs of a finding say of its claim."""

    def watch(
        self, rule: ConfirmationOpened, claimed: float, levels: Sequence[float], scores: Sequence[float | None]
    ) -> TailEvidence:
        """The evidence of `scores` (None: failed), in order, against a mean gain of half of what was claimed.

        levels: fresh scores of what the finding replaced.
        """
        ...
