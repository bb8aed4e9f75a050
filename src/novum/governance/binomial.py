"""How likely a run of bad luck is: exact one-sided tests on counts, for small samples."""

from __future__ import annotations

from math import comb


def more_than_before(failed: int, count: int, failed_before: int, before: int) -> float:
    """Fisher's exact test: chance of `failed` or more of `count`, if they fail as often as the `before` did.

    All counts at least 0, failed <= count, failed_before <= before.
    """
    total, bad = count + before, failed + failed_before
    ways = sum(comb(bad, some) * comb(total - bad, count - some) for some in range(failed, min(bad, count) + 1))
    return ways / comb(total, count)


def more_than_half(failed: int, count: int) -> float:
    """Chance of `failed` or more heads in `count` tosses of a fair coin."""
    return float(sum(comb(count, some) for some in range(failed, count + 1)) / 2**count)
