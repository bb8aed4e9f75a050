"""Values in a few words, for rationales and for every place where a candidate is shown."""

from __future__ import annotations

from novum.core.ids import short
from novum.core.nouns import Scalar


def written(value: Scalar | None) -> str:
    """A gene's value; a file of a source tree by its length and content address."""
    if isinstance(value, str) and "\n" in value:
        lines = value.count("\n")
        return f"{lines:,} line{'' if lines == 1 else 's'} ({short(value)[:6]})"
    return str(value)
