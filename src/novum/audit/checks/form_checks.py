"""Whether a row holds the one form of its event: the canonical bytes, its own actor, and amounts that can be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from novum.core.events.campaign import PreflightRecorded, SessionEnded, SessionStarted
from novum.core.events.event import Event
from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.trials import GroupDispatched, LateReport, TrialFinished
from novum.core.model.errors import IntegrityError
from novum.core.state.campaign_state import CampaignState
from novum.ledger.exact_form import departure
from novum.ledger.journal import SCHEMA
from novum.ledger.read_ahead import Row
from novum.text.format import cut

_AMOUNTS: dict[type[Event], tuple[str, ...]] = {
    TrialFinished: ("cpu_seconds", "wall_seconds", "peak_bytes", "elapsed", "stored_bytes"),
    GroupDispatched: ("elapsed", "cpu_seconds", "gpu_seconds"),
    LateReport: ("elapsed", "cpu_seconds"),
    SessionEnded: ("elapsed",),
    PreflightRecorded: ("trials", "cpu_seconds"),
    ModelAsked: ("tokens", "money"),
    ModelReplied: ("input_tokens", "output_tokens", "money", "seconds"),
}
"""What nobody can use less than nothing of."""


@dataclass
class Forms:
    """The forms of the events so far. `lacking`: what an event before the first session lacks of today's form."""

    lacking: str = ""

    def check(self, row: Row, event: Event, state: CampaignState, *, exact: bool) -> None:
        """Hold a row against its event and the state before it. Raises IntegrityError.

        exact: whether the payload is known to be what the event is written as.
        """
        seq, _, actor, kind, payload, _ = row
        schema = event.schema if isinstance(event, SessionStarted) else state.schema
        if not exact and (said := departure(kind, payload, event, older=schema < SCHEMA)):
            raise IntegrityError(said)
        if actor != event.acted_by():
            raise IntegrityError(f"it is written as an act of {cut(actor, 80)!r}, and is one of {event.acted_by()!r}")
        for name in _AMOUNTS.get(type(event), ()):
            if not 0 <= (amount := getattr(event, name)) < math.inf:
                raise IntegrityError(f"its {name} are {amount:g}, which cannot be")
        if isinstance(event, SessionStarted):
            self._begun(event, state)
        elif state.session == 0 and not exact and not self.lacking:
            self.lacking = f"event {seq} ({kind}): {departure(kind, payload, event, older=False)}"

    def _begun(self, event: SessionStarted, state: CampaignState) -> None:
        if event.schema < state.schema:
            raise IntegrityError(f"a record of schema {state.schema} goes on as one of schema {event.schema}")
        if state.session == 0 and event.schema >= SCHEMA and self.lacking:
            raise IntegrityError(f"the record is of schema {event.schema}, and of {self.lacking}")
