"""The operations that a study's text names, such as "few + div_s - exp_s"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from novum.core.model.errors import StudyError
from novum.symbolic.operations import Operation


def chosen_operations(
    text: str, groups: Mapping[str, tuple[str, ...]], admitted: Sequence[Operation]
) -> tuple[str, ...]:
    """Names in the order of `admitted`; a group stands for its names, a minus leaves out. Raises StudyError."""
    chosen: set[str] = set()
    known = [one.name for one in admitted]
    for sign, name in re.findall(r"([+-]?)\s*([^\s+-]+)", text):
        named = set(groups.get(name, (name,)))
        if wrong := named - set(known):
            raise StudyError(
                f"options.operations: there is no operation {sorted(wrong)[0]!r}; choose from {', '.join(groups)}, "
                f"{', '.join(known)}"
            )
        chosen = chosen - named if sign == "-" else chosen | named
    if not chosen:
        raise StudyError("options.operations: name at least one operation")
    return tuple(name for name in known if name in chosen)
