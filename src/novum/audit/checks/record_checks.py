"""What every event is held to beside its own kind's rules: its place, what had to come before it, and what must follow.

`Audit` asks before and after each event is folded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from novum.audit.checks.approval_checks import APPROVALS
from novum.audit.checks.budget_checks import BUDGETS
from novum.audit.checks.order_checks import CLOCKS, ORDER
from novum.audit.checks.origin_checks import ORIGINS
from novum.audit.checks.preflight_audit import PREFLIGHTS, by_this_version
from novum.audit.checks.promise_checks import PROMISED_SINCE, PROMISES, check_promised
from novum.audit.score_checks import Rules
from novum.core.events.campaign import CheckpointSigned, IncumbentChanged, PreflightRecorded
from novum.core.events.event import Event, is_casual
from novum.core.events.trials import LateReport
from novum.core.events.verdicts import FindingRecorded
from novum.core.model.errors import IntegrityError
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis

_ALL = (CLOCKS, ORDER, ORIGINS, BUDGETS, PROMISES, APPROVALS, PREFLIGHTS)
_CHECKS = {kind: [each[kind] for each in _ALL if kind in each] for kind in {kind for each in _ALL for kind in each}}
"""By kind of event, in this order."""


@dataclass
class RecordChecks:
    """What the record so far owes. `found`: a finding whose promise must be next; `fallen`: why the incumbent must go.

    reported: groups that reported late. worded_elsewhere: whether a preflight was, by another version.
    """

    found: Hypothesis | None = None
    fallen: str = ""
    reported: set[str] = field(default_factory=set)
    worded_elsewhere: bool = False
    preflights: list[tuple[int, int, PreflightRecorded]] = field(default_factory=list)
    """Each with its number and the schema of its session."""

    def before(self, event: Event, state: CampaignState, rules: Rules) -> None:
        """Hold an event against the state before it. Raises IntegrityError."""
        if self.found:
            check_promised(self.found, event)
        if self.fallen and not isinstance(event, IncumbentChanged):
            raise IntegrityError(f"{self.fallen}, and it stays the one to beat")
        for check in _CHECKS.get(type(event), ()):
            check(event, state, rules)
        if isinstance(event, PreflightRecorded):
            self.preflights.append((state.revision + 1, state.schema, event))
            self.worded_elsewhere = self.worded_elsewhere or not by_this_version(state)
        elif isinstance(event, LateReport):
            self._late(event)

    def after(self, event: Event, state: CampaignState) -> None:
        """Remember what has to follow on an event that was folded."""
        if is_casual(event):
            return
        found = isinstance(event, FindingRecorded) and state.schema >= PROMISED_SINCE
        self.found = state.findings[-1] if found else None
        if not isinstance(event, CheckpointSigned):
            self.fallen = _fallen(state)

    def end(self) -> None:
        """Hold the end of the record against what it owes. Raises IntegrityError."""
        if self.found:
            raise IntegrityError(f"the record ends before it says what {self.found.id} will be asked")

    def _late(self, event: LateReport) -> None:
        if event.group in self.reported:
            raise IntegrityError(f"{event.group} reported late a second time")
        self.reported.add(event.group)


def _fallen(state: CampaignState) -> str:
    """Why the present incumbent may not stay, or nothing."""
    name = state.incumbents[-1].hypothesis if state.incumbents else None
    reason = state.hypotheses[name].retracted if name else ""
    return f"the incumbent rests on {name}, which was retracted ({reason})" if reason else ""
