"""A lab as an agent may see it: its ledger read again from where it was left, and nothing else of the directory.

Neither the lab's key nor its secret is ever opened here; a running lab is neither waited for nor held up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from novum.core.events.campaign import CampaignOpened, CheckpointSigned
from novum.core.events.event import Known, Record, told
from novum.core.events.trials import GroupDispatched, LateReport, ScaleMeasured, TrialFinished
from novum.core.model.errors import UserError
from novum.core.state.campaign_state import CampaignState
from novum.ledger.journal import Reader
from novum.views.candidate_changes import CandidateWords
from novum.views.index.campaign_index import CampaignIndex

LINES = 2000

_UNSAID = (GroupDispatched, TrialFinished, LateReport, ScaleMeasured, CheckpointSigned)
"""Single runs are no news, and those on the gate's data are not for whoever proposes."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event in words. time: microseconds since the epoch."""

    seq: int
    time: int
    actor: str
    kind: str
    words: str


class LabReader:
    """What the record says up to now. Use `open` for a consistent look: calls come from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.index = CampaignIndex()
        self.lines: deque[Line] = deque(maxlen=LINES)
        self._known = Known(CandidateWords())
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[CampaignState]:
        """The state by now; nothing changes until it is closed. Raises IntegrityError, UserError."""
        with self._lock:
            self._read()
            if not self.state.opened:
                raise UserError("no campaign has been opened in this lab yet: start one with `novum run`")
            yield self.state

    def check(self) -> None:
        """Raises UserError unless there is a lab in the directory."""
        with Reader(self.directory):
            pass

    @property
    def state(self) -> CampaignState:
        """The fold of what was read."""
        return self.index.state

    @property
    def latest(self) -> int:
        """The time of the last event, in microseconds since the epoch."""
        return self.index.last.time if self.index.last else 0

    def _read(self) -> None:
        with Reader(self.directory) as reader:
            self.index.read(self._told(reader.read(self.index.seq)))

    def _told(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            record.event.introduce(self._known)
            yield record
            if not isinstance(record.event, _UNSAID):
                self.lines.append(Line(record.seq, record.time, record.actor, record.kind, self._words(record)))

    def _words(self, record: Record) -> str:
        if isinstance(record.event, CampaignOpened):  # its usual words name the seed of the search data
            return f"{record.event.study.name}, arena {record.event.study.arena}"
        return told(record.event, self._known)
