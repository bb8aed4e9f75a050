"""Is a gate sound on a stream without true effects? Every gate broken on purpose fails one of the two checks."""

from __future__ import annotations

import math
from typing import Any


def complaints(row: dict[str, Any], alpha: float) -> list[str]:
    """What is wrong with a row of a null stream, beyond three Monte-Carlo errors. alpha: the level that was promised.

    The second check is the sharper one. On these streams the gate uses about a tenth of its alpha, which would hide
    re-used screening seeds (P(any false) .03); that the mean e-value of a null is above 1 hides nowhere.
    """
    found = []
    limit = alpha + 3 * math.sqrt(alpha * (1 - alpha) / row["campaigns"])
    if row["any_false"][0] > limit:
        found.append(f"P(any false) {row['any_false'][0]:.3f} > {limit:.3f}")
    if row["null_evidence"] is not None:
        mean, error = row["null_evidence"]
        if mean > 1 + 3 * error:
            found.append(f"mean E of a null {mean:.3f} > 1 + 3 x {error:.3f}")
    return found
