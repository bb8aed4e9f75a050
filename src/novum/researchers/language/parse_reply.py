"""From the text of a reply to a candidate and a prediction, or to the reason why it cannot be used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.researchers.language.reply_forms import LONG, BlocksForm, Form
from novum.researchers.language.untrusted_text import clean, line
from novum.text.json_in_prose import find_objects

MAX_CHARACTERS = 2_000_000
_LARGEST = 1e6


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wants to try: the candidate in normal form, why, and what it expects of it."""

    genome: Genome
    rationale: str
    probability: float
    effect: float


def read(text: str, form: Form, spec: ArenaSpec) -> Answer:
    """The last complete answer in a reply that fits the form. Raises StudyError with what is wrong, for the model."""
    fields, genome = _fitting(text, form)
    claim = line(_text(fields, "claim"), LONG[0])
    why = line(_text(fields, "rationale"), LONG[1])
    return Answer(
        genome=genome,
        rationale=": ".join(part for part in (claim, why) if part) or "no reason given",
        probability=min(0.99, max(0.01, _number(fields, "probability_percent", 10.0) / 100)),
        effect=_clipped(_number(fields, "effect", 0.0), spec),
    )


def _fitting(text: str, form: Form) -> tuple[dict[str, Any], Genome]:
    """The last answer that names a candidate, with it; where none does, StudyError says why the last one does not."""
    why: StudyError | None = None
    for fields in reversed(_answers(text, form)):
        try:
            return fields, _genome(form, fields)
        except StudyError as error:
            why = why or error
    assert why
    raise why


def _answers(text: str, form: Form) -> tuple[dict[str, Any], ...]:
    """The objects in a reply that may be its answer, at least one. Raises StudyError."""
    name = form.part[0]
    try:
        return named(text, name)
    except StudyError:
        if isinstance(form, BlocksForm) and "<<< SEARCH" in text[:MAX_CHARACTERS]:
            return ({name: clean(text[:MAX_CHARACTERS])},)
        raise


def _genome(form: Form, fields: dict[str, Any]) -> Genome:
    try:
        return form.genome(fields.get(form.part[0]))
    except (RecursionError, ValueError, TypeError, OverflowError) as error:
        raise StudyError(f"{form.part[0]}: cannot be read ({type(error).__name__})") from None


def named(text: str, name: str) -> tuple[dict[str, Any], ...]:
    """The complete objects in a text that have a property of this name, the last ones. Raises StudyError for none."""
    found = find_objects(text[:MAX_CHARACTERS], name)
    if found.objects:
        return tuple({clean(key): _cleaned(one) for key, one in value.items()} for value in found.objects)
    if found.problem:
        raise StudyError(found.problem)
    if found.others:
        raise StudyError(f"the answer has no {name!r}")
    raise StudyError("no JSON object was found in the answer: answer with one JSON object and nothing else")


def _cleaned(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean(value)
    if depth > 8:
        return None
    if isinstance(value, list):
        return [_cleaned(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(one, depth + 1) for key, one in value.items()}
    return value


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key, "")
    return value if isinstance(value, str) else ""


def _number(fields: dict[str, Any], key: str, default: float) -> float:
    """A prediction that makes no sense costs the model its credit, not its idea."""
    value = fields.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        return float(value) if math.isfinite(value) else default
    except OverflowError:
        return default


def _clipped(effect: float, spec: ArenaSpec) -> float:
    """No gain is larger than the range of the metric, where that is known."""
    bound = _LARGEST
    if spec.floor is not None and spec.ceiling is not None and not spec.log:
        bound = abs(spec.ceiling - spec.floor)
    return min(bound, max(-bound, effect))
