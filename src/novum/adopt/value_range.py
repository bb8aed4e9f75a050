"""What values a setting might take, by its name and the value that it has now."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from novum.adopt.near_values import Span, options
from novum.adopt.not_varied import generates, not_varied
from novum.adopt.range_rules import EPOCHS, RULES, Context, Rule
from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import Declared
from novum.source.declared.enumerations import members, snake

_NAMES_RANK = 2
_SWITCH_RANK = 4
_BATCH = re.compile(r"batch|^bsz?$")
_BATCH_OF_EPOCH = -0.5
"""How the cost of an epoch goes with the size of a batch: larger ones take fewer steps."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a setting might be: all numbers between two, or some choices; whole numbers where both ends are whole.

    log: whether it is varied by factors. rank: 0 matters most. why: in words. cost: a run takes about
    (new / old) ** cost times as long.
    """

    low: float | None
    high: float | None
    log: bool
    choices: tuple[Scalar, ...]
    rank: int
    why: str
    cost: float = 0.0


def suggested(one: Declared, among: Sequence[Declared] = ()) -> Range | None:
    """The range of a setting; None for what is no hyper-parameter, and for numbers whose name says nothing.

    among: all that its project declares, such as the width that the number of heads must divide.
    """
    if not_varied(one) or (snake(one.name) == "temperature" and generates(among)):
        return None
    if isinstance(one.value, bool):
        return Range(None, None, False, (False, True), _SWITCH_RANK, "a switch: off and on")
    if isinstance(one.value, str):
        return _named(one)
    rule = next((rule for rule in RULES if rule.names.fullmatch(snake(one.name))), None)
    if rule is None:
        return None
    span = options((one.value, *one.choices)) if one.choices else rule.span(one.value, Context(one, tuple(among)))
    found = _numbers(one.value, span, rule)
    if found and _BATCH.search(snake(one.name)) and any(EPOCHS.fullmatch(snake(other.name)) for other in among):
        return replace(found, cost=_BATCH_OF_EPOCH)
    return found


def _numbers(value: int | float, span: Span, rule: Rule) -> Range | None:
    """A span in the type of a value; None where nothing but the value is left."""
    kind = type(value)
    choices = tuple(sorted({kind(one) for one in span.choices if not isinstance(one, str)}))
    if len(choices) > 1:
        return Range(None, None, False, choices, rule.rank, rule.why, rule.cost)
    if span.low is None or span.high is None:
        return None
    low, high = span.low, span.high
    if kind is int:
        low, high = max(math.ceil(low), 1 if span.log else 0), math.floor(high)
    if not low <= value <= high or low == high:
        return None
    return Range(low, high, span.log, (), rule.rank, rule.why, rule.cost)


def _named(one: Declared) -> Range | None:
    """A choice among names, where the file says which there are."""
    found = options(one.choices) if one.value in one.choices else Span()
    if not found.choices:
        return None
    larger = snake(one.name) in ("model", "arch", "architecture", "backbone", "network", "model_type")
    why = "one of the names that it may have" if members(one.name) else "one of the choices that the script allows"
    return Range(None, None, False, found.choices, _NAMES_RANK, why, 0.5 if larger else 0.0)
