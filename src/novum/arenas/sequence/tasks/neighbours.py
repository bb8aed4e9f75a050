"""The parameters that confirming and final trials use: neighbours of the searched ones, held to the same bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options
from novum.core.model.trial import Role

T = TypeVar("T")
Changes = Mapping[str, Any]
LONGEST = 8
"""Times the length of training, at most, in a test of extrapolation."""


def neighbour(task: T, role: Role, gate: Iterable[Changes], final: Iterable[Changes]) -> T:
    """The task for `role`: itself, or the first of the proposed changes that is valid and not used by another role.

    Raises StudyError when all contradict the bounds or the other options.
    """
    if role is Role.SEARCH:
        return task
    confirming = _first(task, gate, {task})
    return confirming if role is Role.GATE else _first(task, final, {task, confirming})


def lengthened(task: T, factor: int, **changes: int) -> T:
    """The task with `changes`, which make it `factor` times as long. Raises StudyError for a factor not in 2..8."""
    if not 2 <= factor <= LONGEST:
        raise StudyError(f"a sequence can be made 2 to {LONGEST} times longer, not {factor} times")
    return changed(task, changes)


def changed(task: T, changes: Changes) -> T:
    """The task with other options, checked like those of a study. Raises StudyError."""
    return parse_options(type(task), {**asdict(task), **changes}, type(task).__name__)  # type: ignore[call-overload]


def other_seed(seed: int, role: Role) -> int:
    """The seed of a fixed part (a graph, a table) for `role`: hashed, so that seeds in a row do not share parts."""
    if role is Role.SEARCH:
        return seed
    word = hashlib.blake2b(f"novum.sequence/{role}/{seed}".encode(), digest_size=4).digest()
    return int.from_bytes(word, "little")


def _first(task: T, proposals: Iterable[Changes], used: set[T]) -> T:
    for changes in proposals:
        try:
            found = changed(task, changes)
        except StudyError:
            continue
        if found not in used:
            return found
    raise StudyError(f"{task} has no neighbour within its bounds: choose options further from the largest allowed")
