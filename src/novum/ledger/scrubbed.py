"""A ledger that keeps no secrets: what looks like one is taken out of every text before it is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from novum.core.events.campaign import CampaignOpened
from novum.core.events.event import Event, Record
from novum.core.events.event_ports import Ledger
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import CandidateTuned, GroupDispatched, RungClosed, ScaleMeasured, TrialFinished
from novum.text.secret_scan import Secrets

_KNOWN = (CampaignOpened, GroupDispatched, HypothesisRegistered, CandidateTuned, RungClosed, ScaleMeasured)
"""Events that hold no text but the study's, which is checked when a lab is opened, and candidates proposed before."""


@dataclass
class ScrubbedLedger:
    """The Ledger port over another one. The records that it returns hold what was written."""

    ledger: Ledger
    secrets: Secrets

    def append(self, events: Iterable[Event], *, durable: bool) -> Sequence[Record]:
        return self.ledger.append([self._clean(event) for event in events], durable=durable)

    def read(self, after: int = 0) -> Iterable[Record]:
        return self.ledger.read(after)

    def _clean(self, event: Event) -> Event:
        if isinstance(event, TrialFinished):
            return replace(event, cause=self.secrets.clean(event.cause)) if event.cause else event
        if isinstance(event, _KNOWN):
            return event
        clean: Event = self._without(event)
        return clean

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.secrets.clean(value) if type(value) is str else value  # members of enums are not texts
        if isinstance(value, dict):
            return {key: self._without(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self._without(item) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [one.name for one in dataclasses.fields(value) if one.init]
            changed = {name: new for name in names if (new := self._without(old := getattr(value, name))) != old}
            return replace(value, **changed) if changed else value
        return value
