"""Events of the evidence ledger beside single confirmations: what its cash is planned for, and tails that retract."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Event, Known, event
from novum.text.format import counted, number


@event("evidence_planned", actor="gate")
@dataclass(frozen=True, slots=True)
class EvidencePlanned(Event):
    """For how many confirmations the evidence at hand is meant: as many as the budget pays, at their predicted cost."""

    first: int
    """Number of the first confirmation of the plan, counted over the campaign."""
    count: int
    least: int
    """Smallest divisor of the cash (hmin); 1 when the plan has a last confirmation."""
    trials: float
    """Predicted for one confirmation with the screening that leads to it."""
    cash: float
    kept: float
    """Evidence kept back for a later plan; this and `cash`: the ledger afterwards."""

    def sentence(self, known: Known) -> str:
        each = f"about {number(self.trials)} trials each, screening included"
        if self.least > 1:
            return f"evidence for a long campaign: {self.count} confirmations or more can be paid, {each}"
        return f"evidence for {counted(self.count, 'confirmation')}, which the budget pays: {each}"


@event("tail_refuted", actor="gate")
@dataclass(frozen=True, slots=True)
class TailRefuted(Event):
    """Later runs of a finding refute its claim: it is retracted, with everything that was built on it.

    All in metric units, against the mean of what it replaced.
    """

    hypothesis: str
    runs: int
    """Of its candidate, on fresh seeds, since the finding was recorded."""
    mean: float
    """Of these runs, losses in full."""
    wanted: float
    """Half of what was claimed: the gain that the runs are held against."""
    worst: float
    losses: int
    """Runs that lost more than 4 sd."""
    e_value: float
    """Against a mean gain of `wanted` or more."""

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        lost = f", {counted(self.losses, 'loss', 'losses')} beyond 4 sd" if self.losses else ""
        return (
            f"{self.hypothesis} is retracted by its later runs: a mean gain of {self.mean:+.3g} over "
            f"{counted(self.runs, 'run')}{lost} (half of the claim is {self.wanted:+.3g})"
        )
