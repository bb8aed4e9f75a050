"""Signed checkpoints of a record: each over the head before it, all with one key."""

from __future__ import annotations

from dataclasses import dataclass

from novum.audit.anchor import Root
from novum.core.events.campaign import CheckpointSigned, SessionStarted
from novum.core.events.event import Event, kind_of
from novum.core.model.errors import IntegrityError
from novum.ledger.key import fingerprint, fits
from novum.ledger.signed import CHECKPOINT, WORTH_SIGNING, statement

SIGNS_ALWAYS = 3
"""The schema since which a session says that everything in it that is worth a signature gets one."""


_EXPECTED = frozenset({CheckpointSigned, *WORTH_SIGNING})


@dataclass(frozen=True)
class Known:
    """What is known from outside of a record: the public key of its lab, and a root that was published earlier."""

    key: str = ""
    anchor: Root | None = None


@dataclass
class Signatures:
    """The checkpoints so far: how many were good, the last event that they cover, and the key of them all."""

    known: Known
    key: str = ""
    good: int = 0
    covered: int = 0
    signed_last: int = -1
    """The number of the last checkpoint."""
    due: str = ""
    """What waits for its checkpoint."""
    left_out: str = ""
    """The first event whose checkpoint never came, while the record is not signed at all."""

    def expect(self, seq: int, event: Event, schema: int) -> None:
        """Hold the checkpoints against what is worth one. schema: of the session. Raises IntegrityError.

        A process that is killed leaves the last one unsigned, and the start of the next session follows.
        """
        if type(event) not in _EXPECTED:
            return
        if isinstance(event, CheckpointSigned):
            if self.signed_last == seq - 1 and schema >= SIGNS_ALWAYS:
                raise IntegrityError("nothing happened since the checkpoint before it: it was written twice")
            self.due, self.signed_last = "", seq
        if not isinstance(event, WORTH_SIGNING) or schema < SIGNS_ALWAYS:
            return
        if self.due and not isinstance(event, SessionStarted):
            self.left_out = self.left_out or f"{self.due} was never signed, and what came after it is there"
        self._whole()
        self.due = f"event {seq} ({kind_of(type(event))})"

    def _whole(self) -> None:
        """A record is signed throughout or not at all. Raises IntegrityError."""
        if self.good and self.left_out:
            raise IntegrityError(f"{self.left_out}: its checkpoint was taken out")

    def check(self, event: CheckpointSigned, seq: int, head: str, lab: str) -> None:
        """Hold a checkpoint against the record before it, which ends with event `seq`. Raises IntegrityError."""
        if (event.seq, event.head) != (seq, head):
            raise IntegrityError(
                f"the lab signed event {event.seq} as {event.head[:12]}…, and the record before it ends with event "
                f"{seq} as {head[:12]}…: it was changed after it was signed"
            )
        if not fits(event.public_key, CHECKPOINT, statement(lab, seq, head), _bytes(event.signature)):
            raise IntegrityError("its signature is not one of its key over the record before it")
        if self.key and event.public_key != self.key:
            raise IntegrityError(
                f"the key of the lab changes from {fingerprint(self.key)} to {fingerprint(event.public_key)}"
            )
        if self.known.key and event.public_key != self.known.key:
            raise IntegrityError(
                f"it is signed with another key ({fingerprint(event.public_key)}) than the lab's own, "
                f"which is {fingerprint(self.known.key)}"
            )
        self.key, self.good, self.covered = event.public_key, self.good + 1, seq
        self._whole()

    def reach(self, seq: int, head: str) -> None:
        """Hold event `seq` against the anchor. Raises IntegrityError."""
        anchor = self.known.anchor
        if anchor and anchor.seq == seq and not anchor.fits(head):
            raise IntegrityError(f"the record up to here is not the one that was anchored as {anchor}")

    def end(self, last: int, *, closed: bool) -> None:
        """Hold the end of the record against what is known. `closed`: its last session ended in order.

        Raises IntegrityError.
        """
        anchor = self.known.anchor
        if anchor and anchor.seq > last:
            raise IntegrityError(f"the record ends at event {last}, and event {anchor.seq} was anchored as {anchor}")
        if self.known.key and closed and not self.good:
            raise IntegrityError("the lab has a key and its record not one signed checkpoint: they were taken out")

    def notes(self, last: int) -> list[str]:
        """What the checkpoints are worth, in words."""
        said = []
        if self.good:
            rest = last - self.covered - 1
            open_end = f"; the last {rest} events are not signed yet" if rest else ""
            said.append(
                f"{self.good} signed checkpoints are good, key {fingerprint(self.key)}{open_end}; "
                "a signature shows who keeps the record, not when: see `novum anchor`"
            )
        if self.known.anchor:
            said.append(f"the history anchored as {self.known.anchor} is contained")
        return said


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
