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
_TOKENS = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*([km]?)\s*tokens?")
_MONEY = re.compile(r"\$\s*(\d{1,9}(?:\.\d{1,6})?)|(\d{1,9}(?:\.\d{1,6})?)\s*(?:usd|dollars?)")
FORMS = (
    "30s, 5m, 2h (wall time), cpu 10m (CPU time), 500 trials, 200k tokens, $5 (of models), or several of them "
    "separated by commas"
)


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
        # Models are not needed to go on: their bounds refuse only what asks for more of them.
        if self.budget.tokens is not None and demand.tokens and spent.tokens + demand.tokens > self.budget.tokens:
            return f"budget: {spent.tokens:,} of {self.budget.tokens:,} tokens used or set aside"
        if self.budget.money is not None and demand.money and spent.money + demand.money > self.budget.money:
            return f"budget: {spent.money:.4f} of {self.budget.money:g} dollars used or set aside"
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
        elif match := _TOKENS.fullmatch(part):
            name, value = "tokens", round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]])
        elif match := _MONEY.fullmatch(part):
            name, value = "money", float(match[1] or match[2])
        else:
            raise StudyError(f"budget {text[:60]!r}: cannot read {part[:40]!r}; write {FORMS}")
        if value <= 0:
            raise StudyError(f"budget {text!r}: {part!r} is nothing; a budget must be positive")
        if name in found:
            raise StudyError(f"budget {text!r}: {name.replace('_', ' ')} is given twice")
        found[name] = value
    counts = {name: int(value) if name in ("trials", "tokens") else value for name, value in found.items()}
    return Budget(**counts)  # type: ignore[arg-type]  # which of them are whole numbers depends on the name
