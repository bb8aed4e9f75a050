"""The machines of a campaign: which are here, what each has run, and of which kind the runs of a pair are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from novum.core.events.trials import TrialFinished
from novum.core.model.hardware import Machine
from novum.core.model.trial import OutcomeKind


@dataclass
class MachineRecord:
    """One machine. joined, left: elapsed seconds of the session in which it did; left is None while it is here."""

    machine: Machine
    kind: str
    session: int
    joined: float
    left: float | None = None
    reason: str = ""
    groups: int = 0
    cpu_seconds: float = 0.0
    outcomes: Counter[OutcomeKind] = field(default_factory=Counter)
    served: set[str] = field(default_factory=set)
    """Hypotheses that have evidence from it, follow-ups included."""
    rechecked: int = 0
    """Groups that were run again elsewhere, and of these the ones that gave something else."""
    differing: int = 0
    blamed: str = ""
    """The group by which it was found to be at fault."""


@dataclass
class MachineLog:
    """All machines that ever joined, in their order, and where groups ran that did not run on the lab's own."""

    known: dict[str, MachineRecord] = field(default_factory=dict)
    ran: dict[str, str] = field(default_factory=dict)
    """Machine by group, of groups that are in flight or whose outcomes came last."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of machine by the name under which groups are held together (`TrialGroup.together`)."""

    @property
    def here(self) -> dict[str, MachineRecord]:
        """Those that may run trials now."""
        return {name: one for name, one in self.known.items() if one.left is None}

    def finished(self, event: TrialFinished, *, last: bool) -> None:
        """Count a trial for the machine that ran it. last: of its group."""
        if one := self.known.get(self.ran.get(event.group, "")):
            one.cpu_seconds += event.cpu_seconds
            one.outcomes[event.kind] += 1
        if last:
            self.ran.pop(event.group, None)

    def session_over(self, elapsed: float) -> None:
        """None is here between sessions."""
        self.ran.clear()
        for one in self.here.values():
            one.left, one.reason = elapsed, "the session ended"
