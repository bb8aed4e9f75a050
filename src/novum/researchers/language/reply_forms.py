"""What a reply must look like, as a JSON schema, and what it then means: a genome. One form per way to answer.

A reply can name nothing but a candidate and a prediction: whatever else it holds is not read.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from novum.core.model.candidate import Candidate, Gene, Genome, Scalar, Space
from novum.core.model.errors import StudyError
from novum.source.edits import Change, changes, edited, rewritten
from novum.source.literals import Number, skeleton, with_values
from novum.source.space import SourceSpace
from novum.text.format import written

Json = dict[str, Any]

MAX_EDITS = 50
MAX_NUMBERS = 40
MAX_CHANGES = 200
PERCENT = (20, 50, 80, 125, 200, 400)
LONG, SHORT = (300, 2000), (60, 80)
"""Characters of a claim and of a rationale: of a hosted model, of a small one."""


class Form(Protocol):
    """A way to answer."""

    @property
    def part(self) -> tuple[str, Json]:
        """The property of the answer that names the candidate, and its schema."""
        ...

    @property
    def base(self) -> Genome:
        """The candidate that changes start from."""
        ...

    def genome(self, value: Any) -> Genome:
        """The candidate in normal form. Raises StudyError with what is wrong, in words for the model."""
        ...


def schema(form: Form, *, small: bool) -> Json:
    """The schema of a whole answer. `small`: for models that cannot write much."""
    name, part = form.part
    claim, rationale = SHORT if small else LONG
    properties: Json = {
        name: part,
        "claim": {"type": "string", "maxLength": claim},
        "rationale": {"type": "string", "maxLength": rationale},
        "probability_percent": {"type": "integer", "minimum": 1, "maximum": 99},
        "effect": {"type": "number"},
    }
    return _object(properties)


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True)
class GeneForm:
    """A value for each gene, from its own choices."""

    space: Space
    base: Genome

    @property
    def part(self) -> tuple[str, Json]:
        """One property per gene, with its choices."""
        return "genome", _object({gene.name: {"enum": list(gene.choices)} for gene in self.space.genes})

    def genome(self, value: Any) -> Genome:
        """Genes that are left out, or null, keep the incumbent's value."""
        if not isinstance(value, dict):
            raise StudyError("genome: must be an object with a value for each gene")
        known = {gene.name: gene for gene in self.space.genes}
        if stray := sorted(set(map(str, value)) - set(known)):
            raise StudyError(f"genome: there is no gene {stray[0][:60]!r}; choose from {', '.join(known)}")
        given = {name: _choice(known[name], one) for name, one in value.items() if one is not None}
        return self.space.validate({**self.base, **given})


def _choice(gene: Gene, value: Any) -> Scalar:
    """The choice that is meant: the same value, or the same when written out."""
    for choice in gene.choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
    words = str(value).strip().lower()
    if isinstance(value, str) and len(words) < 200:
        for choice in gene.choices:
            if words == str(choice).lower():
                return choice
    raise StudyError(f"genome.{gene.name}: cannot be {str(value)[:60]!r}; choose from {list(gene.choices)}"[:400])


@dataclass(frozen=True)
class ChangesForm:
    """One or two genes of the incumbent changed, for models that cannot keep many choices in mind.

    known: ids of candidates that are not worth naming again; a change that only leads to one of them is not offered.
    """

    space: Space
    base: Genome
    known: Set[str] = frozenset()

    @cached_property
    def changes(self) -> Mapping[str, Genome]:
        """Every change of one gene that makes another candidate, by its words."""
        start = Candidate(self.space.validate(self.base)).id
        found: dict[str, Genome] = {}
        for gene in self.space.genes:
            for choice in gene.choices:
                if Candidate(self.space.validate({**self.base, gene.name: choice})).id != start:
                    found[f"{gene.name} = {written(choice)}"] = {gene.name: choice}
        return found

    @property
    def part(self) -> tuple[str, Json]:
        """A list of one or two changes."""
        fresh = [
            words
            for words, change in self.changes.items()
            if Candidate(self.space.validate({**self.base, **change})).id not in self.known
        ]
        change: Json = {"type": "string", "enum": (fresh or list(self.changes))[:MAX_CHANGES]}
        return "changes", {"type": "array", "minItems": 1, "maxItems": 2, "items": change}

    def genome(self, value: Any) -> Genome:
        """The incumbent after the changes, in order."""
        if not isinstance(value, list) or not 1 <= len(value) <= 2:
            raise StudyError("changes: must be a list of one or two changes")
        if bad := [one for one in value if not isinstance(one, str) or one not in self.changes]:
            raise StudyError(f"changes: cannot be {str(bad[0])[:60]!r}; choose from those that were listed")
        genome = dict(self.base)
        for one in value:
            genome.update(self.changes[one])
        return self.space.validate(genome)


@dataclass(frozen=True)
class BlocksForm:
    """Edits of a program: each replaces one exact piece of a file, or with an empty search the whole file."""

    space: SourceSpace
    base: Genome

    @property
    def part(self) -> tuple[str, Json]:
        """A list of edits; files that exist are named by their path."""
        paths = sorted({*self.space.base, *self.base})
        file: Json = {"type": "string"} if self.space.creatable else {"type": "string", "enum": paths}
        edit = _object({"file": file, "search": {"type": "string"}, "replace": {"type": "string"}})
        return "edits", {"type": "array", "minItems": 1, "maxItems": MAX_EDITS, "items": edit}

    def genome(self, value: Any) -> Genome:
        """The base after the edits, in order."""
        if isinstance(value, str):
            return edited(self.space, self.base, changes(value, sorted({*self.space.base, *self.base})))
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_EDITS:
            raise StudyError(f"edits: must be a list of 1 to {MAX_EDITS} edits")
        genome = self.base
        for number, one in enumerate(value, 1):
            path, search, replace = _edit(one, number)
            if search.strip():
                genome = edited(self.space, genome, (Change(path, search, replace),))
            else:
                genome = rewritten(self.space, genome, path, replace)
        return genome


def _edit(value: Any, number: int) -> tuple[str, str, str]:
    if not isinstance(value, dict):
        raise StudyError(f"edits: number {number} must be an object with file, search and replace")
    parts = tuple("" if value.get(key) is None else value[key] for key in ("file", "search", "replace"))
    if not all(isinstance(part, str) for part in parts) or not parts[0]:
        raise StudyError(f"edits: number {number} must name a file, and search and replace must be texts")
    if not parts[1].strip() and not parts[2].strip():
        raise StudyError(f"edits: number {number} has neither search nor replace: it would empty {parts[0][:80]}")
    return parts[0], parts[1], parts[2]


@dataclass(frozen=True)
class ValuesForm:
    """One number of a program made smaller or larger: what a model can do that cannot write programs."""

    space: SourceSpace
    base: Genome
    _places: Mapping[str, tuple[str, int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[str, int]] = {}
        for path in sorted({*self.space.base, *self.base}):
            for index, literal in enumerate(skeleton(self.space.text(self.base, path), path).literals):
                found.setdefault(f"{literal.name[:60]} at {path}:{literal.line}", (path, index))
        object.__setattr__(self, "_places", dict(list(found.items())[:MAX_NUMBERS]))

    @cached_property
    def values(self) -> Mapping[str, Number]:
        """The numbers as they stand, by name."""
        return {
            name: skeleton(self.space.text(self.base, path), path).literals[index].value
            for name, (path, index) in self._places.items()
        }

    @property
    def part(self) -> tuple[str, Json]:
        """Which number, and how much of its present value."""
        percent = {"type": "integer", "enum": list(PERCENT)}
        return "change", _object({"number": {"type": "string", "enum": list(self._places)}, "percent_of_now": percent})

    def genome(self, value: Any) -> Genome:
        """The base with that number changed."""
        name, percent = (value.get("number"), value.get("percent_of_now")) if isinstance(value, dict) else (None, None)
        if not isinstance(name, str) or name not in self._places:
            raise StudyError("change.number: must be one of the numbers that were listed")
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 < percent <= 900:
            raise StudyError("change.percent_of_now: must be a whole number from 1 to 900")
        path, index = self._places[name]
        text = with_values(self.space.text(self.base, path), path, {index: _scaled(self.values[name], percent / 100)})
        return self.space.validate({**self.base, path: text})


def _scaled(now: Number, factor: float) -> Number:
    """A number made smaller or larger; whole numbers move by one at least, truth values turn."""
    if isinstance(now, bool):
        return not now
    if now == 0:
        return 0.0 if isinstance(now, float) and factor == 1 else type(now)(math.copysign(1, factor - 1))
    if isinstance(now, float):
        return now * factor
    new = round(now * factor)
    return new if new != now else now + (1 if factor >= 1 else -1)


def form_of(space: object, base: Genome, edit: str, *, small: bool, known: Set[str] = frozenset()) -> Form:
    """The form for a space. known: see ChangesForm. Raises StudyError for a space that no form fits."""
    if isinstance(space, Space):
        changes = ChangesForm(space, base, known)
        return changes if small and changes.changes else GeneForm(space, base)
    if not isinstance(space, SourceSpace):
        raise StudyError("researcher language: this arena's candidates are neither genes nor files")
    if edit == "values" or (edit == "auto" and small):
        values = ValuesForm(space, base)
        if values.values:  # a program that states no numbers can only be rewritten
            return values
    return BlocksForm(space, base)


def form_as(space: object, base: Genome, properties: Collection[str]) -> Form | None:
    """The form whose answers have these properties, or None when this space has none such."""
    if isinstance(space, Space):
        return ChangesForm(space, base) if "changes" in properties else GeneForm(space, base)
    if isinstance(space, SourceSpace):
        return ValuesForm(space, base) if "change" in properties else BlocksForm(space, base)
    return None
