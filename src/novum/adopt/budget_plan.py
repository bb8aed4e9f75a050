"""What a budget pays for on a script, told before it is spent."""

from __future__ import annotations

from novum.core.model.budget import Budget

ENOUGH = 60
"""Runs with which one confirmation of a large effect, and some screening before it, can be paid."""
_BASELINE, _CONFIRMATION, _SCREENED = 3, 20, 2


def plan_words(wall_seconds: float, cpu_seconds: float, budget: Budget, workers: int) -> str:
    """How many runs a budget pays for, and for what; with what would be enough where that is not."""
    counts = [float(budget.trials)] if budget.trials is not None else []
    if budget.wall_seconds is not None:
        counts.append(budget.wall_seconds * workers / max(wall_seconds, 1e-3))
    if budget.cpu_seconds is not None:
        counts.append(budget.cpu_seconds / max(cpu_seconds, 1e-3))
    lead = f"one run takes about {wall_seconds:.3g} s"
    if not counts:
        return f"{lead}; give a budget"
    runs = int(min(counts))
    if runs < ENOUGH:
        enough = ENOUGH * wall_seconds / workers
        return (
            f"{lead}; this budget pays for {runs}, and a finding takes about {ENOUGH}: give {_time(enough)} or more "
            f"on {workers} worker(s), or shorten the run (fewer steps, less data)"
        )
    confirmations = max(1, runs // (3 * _CONFIRMATION))
    ideas = max(1, (runs - _BASELINE - confirmations * _CONFIRMATION) // _SCREENED)
    return (
        f"{lead}; this budget pays for {runs} on {workers} worker(s): {_BASELINE} for the baseline, about {ideas} "
        f"ideas screened, {confirmations} confirmed or refuted"
    )


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))}m"
    return f"{seconds / 3600:.1f}h"
