"""What came of a target, and the table of all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Side:
    """One campaign: the lab's search, or the control that draws at random."""

    cpu_seconds: float
    candidates: int
    """Tried, those of searches outside the record included."""
    found: bool
    """Whether a candidate that was screened is the answer."""
    confirmed: bool
    """Whether such a candidate was supported and stands."""
    hypothesis: str = ""
    """The confirmed one, or one that is the answer, or the last finding."""
    recognised: str = ""
    """What it is, in words."""
    rule: str = ""
    """It as text."""
    gain: float | None = None
    """Of the finding, on fresh pairs."""
    score: float | None = None
    """The incumbent's at the end, on confirmation data."""


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """What came of one target; `random_*` are the control's, with the same budget of CPU seconds."""

    name: str
    answer: str
    found: bool
    confirmed: bool
    cpu_seconds: float
    candidates: int
    random_found: bool
    random_confirmed: bool
    random_cpu_seconds: float
    random_candidates: int
    hypothesis: str
    recognised: str
    rule: str
    gain: float | None
    score: float | None
    random_score: float | None
    verified: bool
    """Whether both records hold."""
    hidden: str
    lab: str
    random_lab: str

    @classmethod
    def of(
        cls, name: str, target: tuple[str, str], sides: tuple[Side, Side], verified: bool, labs: tuple[str, str]
    ) -> TargetOutcome:
        """From both campaigns. target: the answer, and what was hidden."""
        mine, control = sides
        return cls(
            name, target[0], mine.found, mine.confirmed, round(mine.cpu_seconds, 1), mine.candidates, control.found,
            control.confirmed, round(control.cpu_seconds, 1), control.candidates, mine.hypothesis, mine.recognised,
            mine.rule, mine.gain, mine.score, control.score, verified, target[1], *labs,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatteryResult:
    """The whole table."""

    targets: list[TargetOutcome]
    found: int
    confirmed: int
    random_found: int
    cpu_seconds: float
    """Of all campaigns, controls included."""
    seed: int
    failed: dict[str, str]
    """Targets that could not be run, and why; they are tried again by the next command."""
