"""What came of one author's ideas, and how an incumbent fares: short memories, folded from events."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LENGTH = 200
"""Characters of a reason that are kept."""

_VARIES = re.compile(r"0x[0-9a-f]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass
class AuthorStats:
    """What came of one author's hypotheses and proposals."""

    recent: list[str] = field(default_factory=list)
    """Why each of the latest hypotheses gave no score in screening, empty for those that gave one, since the author
    last rested."""
    earlier: int = 0
    earlier_failed: int = 0
    """This and `earlier`: those before."""
    row: int = 0
    """How many proposals in a row came to nothing for one reason."""
    why: str = ""
    """That reason without what varies."""
    said: str = ""
    """In the words of the last one."""
    diverged: int = 0
    """Hypotheses all of whose trials diverged."""

    @property
    def failed(self) -> int:
        """How many of the recent ones gave no score."""
        return sum(map(bool, self.recent))

    def add(self, cause: str, window: int) -> None:
        """One more hypothesis has been screened."""
        self.recent.append(cause)
        if len(self.recent) > window:
            self.earlier += 1
            self.earlier_failed += bool(self.recent.pop(0))

    def end(self, reason: str) -> None:
        """A proposal has come to nothing, or to a score when there is no reason."""
        why = alike(reason) if reason else ""
        self.row = (self.row + 1 if why == self.why else 1) if why else 0
        self.why, self.said = why, reason[:LENGTH]

    def clear(self) -> None:
        """It rests: what it was sent to rest for is forgotten, so that it is judged anew afterwards."""
        self.recent.clear()
        self.row, self.why, self.said = 0, "", ""


@dataclass
class IncumbentRuns:
    """Runs of an incumbent on fresh seeds: the latest ones of confirmations, with their groups, and all before."""

    runs: int = 0
    failed: int = 0
    recent: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, group: str, failed: bool, window: int) -> None:
        """One more run of a confirmation."""
        self.recent.append((group, failed))
        if len(self.recent) > window:
            self.runs += 1
            self.failed += self.recent.pop(0)[1]


def alike(text: str) -> str:
    """A reason without what varies from case to case: numbers, addresses, and all but its first and last line."""
    lines = [line for line in text.casefold().splitlines() if line.strip()] or [""]
    ends = " ".join(dict.fromkeys((lines[0][:LENGTH], lines[-1][:LENGTH])))
    return " ".join(_VARIES.sub("#", ends).split())
