"""The budget: hard bounds on what a campaign uses in total, over all its sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from novum.core.errors import StudyError
from novum.core.judgement import Spent
from novum.core.study import Budget

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(cpu\s+)?(\d{1,12}(?:\.\d{1,9})?)\s*([smhd])")
_TRIALS = re.compile(r"(\d{1,15})\s*trials?")
FORMS = "30s, 5m, 2h (wall time), cpu 10m (CPU time), 500 trials, or several of them separated by commas"


@dataclass(frozen=True)
class HardBudget:
    """The Governor port: refuses whatever would pass a bound. What is in flight counts as spent."""

    budget: Budget

    def refuses(self, spent: Spent, demand: Spent) -> str | None:
        """The bound that `demand` would pass, in words, or None."""
        bounds = (
            (self.budget.trials, spent.trials, demand.trials, "{:.0f} of {:.0f} trials used"),
            (self.budget.cpu_seconds, spent.cpu_seconds, demand.cpu_seconds, "{:.1f} of {:.0f} CPU seconds used"),
            (self.budget.wall_seconds, spent.wall_seconds, demand.wall_seconds, "{:.1f} of {:.0f} seconds used"),
        )
        for bound, used, more, words in bounds:
            if bound is not None and (used + more > bound or used >= bound):
                return f"budget: {words.format(used, bound)}"
        return None


def parse_budget(text: str) -> Budget:
    """A budget from words such as ``3m``, ``cpu 10m`` or ``5m, 500 trials``. Raises StudyError."""
    found: dict[str, float | int] = {}
    for part in re.split(r"\s*(?:,|\+|\band\b)\s*", text.strip().lower()):
        if match := _TIME.fullmatch(part):
            name = "cpu_seconds" if match[1] else "wall_seconds"
            value: float | int = float(match[2]) * _SECONDS[match[3]]
        elif match := _TRIALS.fullmatch(part):
            name, value = "trials", int(match[1])
        else:
            raise StudyError(f"budget {text[:60]!r}: cannot read {part[:40]!r}; write {FORMS}")
        if value <= 0:
            raise StudyError(f"budget {text!r}: {part!r} is nothing; a budget must be positive")
        if name in found:
            raise StudyError(f"budget {text!r}: {name.replace('_', ' ')} is given twice")
        found[name] = value
    trials = found.pop("trials", None)
    return Budget(trials=None if trials is None else int(trials), **found)
