"""Budgets: hard bounds on what a campaign uses in total, over all its sessions, and on what anybody in it uses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from novum.core.model.budget import Budget, Share, Spent
from novum.core.model.errors import StudyError, UserError
from novum.core.model.study import Study

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
_UNITS = r"(?P<s>s|secs?|seconds?)|(?P<m>m|mins?|minutes?)|(?P<h>h|hrs?|hours?)|(?P<d>d|days?)"
_TIME = re.compile(rf"(?:(cpu|gpu)\s+)?(\d{{1,12}}(?:\.\d{{1,9}})?)\s*(?:{_UNITS})")
_TRIALS = re.compile(r"(\d{1,15})\s*trials?")
_TOKENS = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*([km]?)\s*tokens?")
_MONEY = re.compile(r"\$\s*(\d{1,9}(?:\.\d{1,6})?)|(\d{1,9}(?:\.\d{1,6})?)\s*(?:usd|dollars?)")
_DISK = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt])b?\s+(?:of\s+)?disk")
_QUERIES = re.compile(r"(\d{1,9})\s*(?:holdout\s+)?quer(?:y|ies)")
_NAMES = {None: "wall_seconds", "cpu": "cpu_seconds", "gpu": "gpu_seconds"}
FORMS = (
    "30s, 5m, 2h (wall time), cpu 10m, gpu 2h, 500 trials, 200k tokens, $5 (of models), 2 GB disk, 3 holdout queries, "
    "or several of them separated by commas"
)

_WORK = (
    ("trials", "{:.0f} of {:.0f} trials used"),
    ("cpu_seconds", "{:.1f} of {:.0f} CPU seconds used or set aside"),
    ("gpu_seconds", "{:.1f} of {:.0f} GPU seconds used or set aside"),
    ("wall_seconds", "{:.1f} of {:.0f} seconds used"),
    ("disk_bytes", "{:.0f} of {:.0f} bytes of artefacts stored"),
)
"""What every trial takes something of, known beforehand or not."""

_ASKED = (
    ("tokens", "{:,} of {:,} tokens used or set aside"),
    ("money", "{:.4f} of {:g} dollars used or set aside"),
    ("holdout_queries", "{:.0f} of {:.0f} holdout queries used"),
)
"""What only some acts take: the end of one of these ends only those acts."""


@dataclass(frozen=True)
class HardBudget:
    """The Governor port: refuses whatever would pass a bound. What is in flight counts as spent."""

    budget: Budget

    def refuses(self, spent: Spent, demand: Spent) -> str | None:
        """The bound that `demand` would pass, in words, or None."""
        reason = next(_passed(self.budget, spent, demand), None)
        return f"budget: {reason}" if reason else None

    def refuses_share(self, share: Share, demand: Spent) -> str | None:
        """The bound of somebody's share that `demand` would pass, in words, or None."""
        reason = next(_passed(share.budget, share.spent, demand), None)
        return f"{share.name}: {reason}" if reason else None


def _passed(budget: Budget, spent: Spent, demand: Spent) -> Iterator[str]:
    for name, words in _WORK:
        bound, used, more = getattr(budget, name), getattr(spent, name), getattr(demand, name)
        if bound is not None and (used + more > bound or (demand.trials and used >= bound)):
            yield words.format(used, bound)
    for name, words in _ASKED:
        bound, used, more = getattr(budget, name), getattr(spent, name), getattr(demand, name)
        if bound is not None and more and used + more > bound:
            yield words.format(used, bound)


def readings(budget: Budget, spent: Spent) -> dict[str, str]:
    """What a refusal may say of each bound that there is, by the name of its amount."""
    bounds = ((name, words, getattr(budget, name)) for name, words in (*_WORK, *_ASKED))
    return {name: words.format(getattr(spent, name), bound) for name, words, bound in bounds if bound is not None}


def check_total(budget: Budget, spent: Spent, lab: object) -> None:
    """Hold a budget, which is the total of a campaign, to what its lab has used already. Raises UserError."""
    for name, _ in _WORK:
        bound, used = getattr(budget, name), getattr(spent, name)
        if bound is not None and used >= bound:
            raise UserError(
                f"{lab} has used {_amount(name, used)}, and --budget is the total of a campaign: "
                f"try --budget '{_amount(name, 2 * used)}' or more"
            )


def _amount(name: str, value: float) -> str:
    """An amount as a budget is written, rounded up to two digits where that is readable."""
    prefix = {"cpu_seconds": "cpu ", "gpu_seconds": "gpu "}.get(name, "")
    if name == "trials":
        return f"{value:.0f} trials"
    if name == "disk_bytes":
        return f"{max(1, math.ceil(value / 1e6))} MB disk"
    unit, size = next(
        (unit, size) for unit, size in (("h", 3600.0), ("m", 60.0), ("s", 1.0)) if value >= 2 * size or size == 1
    )
    return f"{prefix}{max(1, math.ceil(value / size))}{unit}"


def check_levels(study: Study, settings: int) -> None:
    """Hold budgets within the lab to what can be told of a share, and to what one confirmation takes.

    settings: how many tuning settings a candidate is swept over. Raises StudyError.
    """
    gate, levels = study.gate, study.budgets
    needed = settings * study.screening.seeds + 2 * (gate.max_pairs + gate.estimate_pairs)
    authors = ((f"researchers {one.author!r}", one.budget) for one in levels.researchers)
    for name, budget in [("hypothesis", levels.hypothesis), *authors]:
        if budget.wall_seconds is not None:
            raise StudyError(
                f"budgets: {name} cannot have a share of wall time, which passes for all alike: bound cpu, gpu, "
                "trials, tokens, money, disk or holdout queries"
            )
        if budget.trials is not None and budget.trials < needed:
            raise StudyError(
                f"budgets: {name} has {budget.trials} trials, and a hypothesis may need {needed} until its finding is "
                "recorded, so that nothing could ever be confirmed: raise it, or lower gate.max_pairs"
            )


def parse_budget(text: str) -> Budget:
    """A budget from words such as ``3m``, ``cpu 10m`` or ``5m, 500 trials``. Raises StudyError."""
    found: dict[str, float | int] = {}
    for part in re.split(r"\s*(?:,|\+|\band\b)\s*", text.strip().lower()):
        if match := _TIME.fullmatch(part):
            name = _NAMES[match[1]]
            value: float | int = float(match[2]) * _SECONDS[str(match.lastgroup)]
        elif match := _TRIALS.fullmatch(part):
            name, value = "trials", int(match[1])
        elif match := _TOKENS.fullmatch(part):
            name, value = "tokens", round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]])
        elif match := _MONEY.fullmatch(part):
            name, value = "money", float(match[1] or match[2])
        elif match := _DISK.fullmatch(part):
            name, value = "disk_bytes", round(float(match[1]) * _BYTES[match[2]])
        elif match := _QUERIES.fullmatch(part):
            name, value = "holdout_queries", int(match[1])
        else:
            raise StudyError(f"budget {text[:60]!r}: cannot read {part[:40]!r}; write {FORMS}")
        if value <= 0:
            raise StudyError(f"budget {text!r}: {part!r} is nothing; a budget must be positive")
        if name in found:
            raise StudyError(f"budget {text!r}: {name.replace('_', ' ')} is given twice")
        found[name] = value
    whole = ("trials", "tokens", "disk_bytes", "holdout_queries")
    counts = {name: int(value) if name in whole else value for name, value in found.items()}
    return Budget(**counts)  # type: ignore[arg-type]  # which of them are whole numbers depends on the name
