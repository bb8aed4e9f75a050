"""A lab as it stands, read again from where it was left; and what of it an agent is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from novum.core.events.event import Record
from novum.core.model.errors import IntegrityError, UserError
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.lab import restore
from novum.ledger.journal import Reader
from novum.views.proposal_status import ProposalStatus, RequestTrail


class _Counted:
    """A reader that remembers how far it was read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.last = 0

    def read(self, after: int = 0) -> Iterable[Record]:
        self.last = after
        return self._noted(after)

    def stands(self, seq: int, head: str) -> bool:
        return self._reader.stands(seq, head)

    def _noted(self, after: int) -> Iterator[Record]:
        for record in self._reader.read(after):
            self.last = record.seq
            yield record


class LabFollower:
    """The state of a lab; `look` brings it up to date. Raises IntegrityError, UserError."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._trail = RequestTrail()
        with Reader(directory) as reader:
            counted = _Counted(reader)
            self.state = restore.restore(counted, directory)
            self._seen = counted.last
        if not self.state.opened:
            raise UserError(f"the lab {directory} is empty: no campaign was opened in it")

    def look(self) -> CampaignState:
        """The state by now."""
        try:
            with Reader(self.directory) as reader:
                for record in reader.read(self._seen):
                    apply(self.state, record.event)
                    self._trail.take(record.event)
                    self._seen = record.seq
        except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
            raise IntegrityError("the record contradicts itself: see `novum verify`") from error
        return self.state

    def fate(self, request: str) -> ProposalStatus | None:
        """What became of a request that was sent since this was made; None while it waits in the mailbox."""
        return self._trail.status(self.look(), request)
