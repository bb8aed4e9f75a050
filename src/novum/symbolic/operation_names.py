"""Sets of operations as a study writes them: "few + div_s", "vectors - exp_s"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from novum.core.model.errors import StudyError
from novum.symbolic.operations import BY_NAME, OPERATIONS


def named_operations(text: str, groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The operations that a text names, in their own order. groups: names that stand for several.

    What follows a minus is left out. Raises StudyError.
    """
    chosen: set[str] = set()
    for sign, name in re.findall(r"([+-]?)\s*([^\s+-]+)", text):
        named = set(groups.get(name, (name,)))
        if wrong := named - set(BY_NAME):
            raise StudyError(
                f"options.operations: there is no operation {sorted(wrong)[0]!r}; choose from {', '.join(groups)}, "
                f"{', '.join(BY_NAME)}"
            )
        chosen = chosen - named if sign == "-" else chosen | named
    if not chosen:
        raise StudyError("options.operations: name at least one operation")
    return tuple(one.name for one in OPERATIONS if one.name in chosen)
