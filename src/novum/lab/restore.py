"""The state of a lab from its ledger: all events, or a snapshot and the events since."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from novum.core.engine.gc_pause import gc_paused
from novum.core.events.event import Event, Record
from novum.core.model.errors import IntegrityError, UserError
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.core.state.full_state import FullState
from novum.ledger.lab_secret import known_secret
from novum.ledger.snapshot import FIRST, Keeper, Snapshot, load

if TYPE_CHECKING:
    from novum.ledger.journal import Journal
    from novum.views.index.campaign_index import CampaignIndex


T = TypeVar("T", bound=CampaignState)


class Source(Protocol):
    """Where events are read from: the writer's journal, or a reader."""

    def read(self, after: int = 0) -> Iterable[Record]:
        """Records after a sequence number, in order."""
        ...

    def stands(self, seq: int, head: str) -> bool:
        """Whether event `seq` is in the ledger with this hash."""
        ...


def restore(source: Source, directory: Path) -> CampaignState:
    """The state of a lab: from its snapshot and the events since where one can be relied on, else from all events."""
    secret = known_secret(directory)
    known = load(directory, secret) if secret else None
    if known and source.stands(known.seq, known.head):
        return refold(source.read(known.seq), known.state)
    return refold(source.read(), CampaignState())


def refold(records: Iterable[Record], state: T) -> T:
    """`state` after `records` too. Raises IntegrityError, by event, for a contradiction."""
    take: Callable[[Event], None] = state.keep if isinstance(state, FullState) else partial(apply, state)
    seq = 0
    try:
        with gc_paused():
            for record in records:
                seq = record.seq
                take(record.event)
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        raise IntegrityError(f"event {seq} contradicts the record before it ({error}): see `novum verify`") from error
    return state


def keeper(journal: Journal, directory: Path, secret: bytes, state: CampaignState) -> Callable[[bool], None]:
    """Keeps a snapshot of the state: call it when nothing is half done, with True at the end."""
    known = Keeper(directory, secret, journal.end[0])

    def keep(end: bool = False) -> None:
        seq, head = journal.end
        if known.due(seq) or (end and seq >= known.last + FIRST):
            journal.flush()
            known.keep(Snapshot(state, seq, head))

    return keep


def read_lab(lab: str | Path) -> CampaignState:
    """The state of the lab in a directory, while it runs or after. Raises UserError when there is none."""
    from novum.ledger.journal import Reader

    with Reader(Path(lab)) as reader:
        return checked(restore(reader, Path(lab)), lab)


def read_index(lab: str | Path) -> CampaignIndex:
    """The whole record of the lab in a directory, for views. Raises IntegrityError, UserError when there is none."""
    from novum.ledger.journal import Reader
    from novum.views.index.campaign_index import CampaignIndex

    with Reader(Path(lab)) as reader, gc_paused():
        index = CampaignIndex().read(reader.read())
    checked(index.state, lab)
    return index


def checked(state: T, lab: str | Path) -> T:
    """`state`, if a campaign was opened in the lab. Raises UserError."""
    if not state.opened:
        raise UserError(f"the lab {lab} is empty: no campaign was opened in it")
    return state
