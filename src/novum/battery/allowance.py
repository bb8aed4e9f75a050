"""CPU time for the targets of a battery: each has a share of what is left; what one does not need others get."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Allowance:
    """Hands out CPU time by shares. Used from several threads.

    shares: of each target that is still to be run, relative to each other.
    """

    def __init__(self, cpu_seconds: float, shares: Mapping[str, float]) -> None:
        self._left, self._waiting, self._taken = cpu_seconds, dict(shares), dict[str, float]()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Begin a target: the CPU seconds that it may use, its control included."""
        with self._lock:
            all_shares = sum(self._waiting.values())
            seconds = self._left * self._waiting.pop(name) / all_shares
            self._left -= seconds
            self._taken[name] = seconds
            return seconds

    def settle(self, name: str, used: float) -> None:
        """End a target that used so many CPU seconds; what it did not need is shared among those that wait."""
        with self._lock:
            self._left = max(0.0, self._left + self._taken.pop(name) - used)
