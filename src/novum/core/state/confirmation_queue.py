"""Hypotheses that wait to be confirmed, the one with the largest screening gain first. Only the fold writes."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from novum.core.state.hypothesis import Hypothesis


@dataclass
class ConfirmationQueue:
    """A queue that hypotheses join with their gain and leave at any time; a million do not slow it down."""

    waiting: dict[str, Hypothesis] = field(default_factory=dict)
    _gains: dict[str, float] = field(default_factory=dict)
    _queue: list[tuple[float, int, str]] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return name in self.waiting

    def add(self, hypothesis: Hypothesis, gain: float) -> None:
        """Join, or join again with another gain."""
        self.waiting[hypothesis.id], self._gains[hypothesis.id] = hypothesis, gain
        heapq.heappush(self._queue, (-gain, hypothesis.registered.number, hypothesis.id))
        self._clean()

    def drop(self, name: str) -> None:
        """Leave; harmless for who is not here."""
        if self.waiting.pop(name, None):
            del self._gains[name]
            self._clean()

    @property
    def best(self) -> Hypothesis | None:
        """The one with the largest gain, the older of equals."""
        return self.waiting[self._queue[0][2]] if self._queue else None

    def best_of(self, count: int) -> list[Hypothesis]:
        """The `count` with the largest gains, in that order."""
        order = heapq.nsmallest(
            count, self.waiting.values(), key=lambda one: (-self._gains[one.id], one.registered.number)
        )
        return list(order)

    def _clean(self) -> None:
        """Entries of those who left, or came back with another gain, are let go when they reach the front."""
        while self._queue and self._gains.get(self._queue[0][2]) != -self._queue[0][0]:
            heapq.heappop(self._queue)
