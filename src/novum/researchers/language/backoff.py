"""How long to leave a failing model alone: twice as long after each failure, or as long as it asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass

ENOUGH = 3
"""Failures in a row after which nobody waits for the model any more: somebody else proposes in the meantime."""

BRIEF_SECONDS = 10.0
"""Longer pauses are not waited for."""

LONGEST_SECONDS = 300.0
GRACE_SECONDS = 1.0


@dataclass
class Backoff:
    """first: seconds after the first failure. alone: nobody else could propose, so any pause is waited for."""

    first: float
    alone: bool = False
    failures: int = 0
    until: float = 0.0

    def succeeded(self) -> None:
        """All is forgiven."""
        self.failures, self.until = 0, 0.0

    def failed(self, retry_after: float | None) -> None:
        """Leave the model alone for a while."""
        self.failures += 1
        pause = min(LONGEST_SECONDS, self.first * 2.0 ** min(20, self.failures - 1))
        if retry_after is not None and retry_after > 0:
            pause = max(pause, min(retry_after, 24 * 3600.0))
        self.until = time.monotonic() + pause

    @property
    def over(self) -> bool:
        """Whether the model may be asked."""
        return time.monotonic() >= self.until

    @property
    def brief(self) -> bool:
        """Whether waiting is better than going on without the model."""
        return self.alone or (self.failures < ENOUGH and self.until - time.monotonic() <= BRIEF_SECONDS)

    @property
    def waiting(self) -> bool:
        """Whether a pause is on, or has only just ended, that is waited for."""
        return self.until > 0 and self.brief and time.monotonic() < self.until + GRACE_SECONDS
