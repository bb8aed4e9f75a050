"""The score that a program prints: the numbers that a study's pattern finds, and the one of them that counts."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence

from novum.arenas.program.manifest import Report


def printed_score(report: Report, text: str) -> float | str | None:
    """The number that counts, or what stands in its place; None where nothing fits."""
    return taken([as_number(one) for one in re.findall(report.pattern, text)], report.take)


def taken(found: Sequence[float | str], take: str) -> float | str | None:
    """Of numbers in their order the one that counts: the last, or the min, max or mean of all; None of none.

    One that is not finite counts whatever is asked for: a run that diverged on the way has no smallest loss.
    """
    if take == "last" or not found:
        return found[-1] if found else None
    numbers = [one for one in found if isinstance(one, float) and math.isfinite(one)]
    if len(numbers) < len(found):
        return next(one for one in found if not isinstance(one, float) or not math.isfinite(one))
    if take == "mean":
        return statistics.fmean(numbers)
    return min(numbers) if take == "min" else max(numbers)


def as_number(text: str) -> float | str:
    """A number, or the text that is none."""
    try:
        return float(text)
    except ValueError:
        return text
