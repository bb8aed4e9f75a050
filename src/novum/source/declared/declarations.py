"""What a file declares, by the ending of its name, and the file with other values in these places."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import PurePosixPath

from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError
from novum.source.declared.argument_defaults import argument_defaults
from novum.source.declared.call_keywords import call_keywords
from novum.source.declared.class_fields import class_fields
from novum.source.declared.constants import constants
from novum.source.declared.declaration import Declared, numbered, same
from novum.source.declared.json_positions import json_values
from novum.source.declared.python_source import PythonSource
from novum.source.declared.toml_values import toml_values
from novum.source.declared.yaml_values import yaml_needs_quotes, yaml_number, yaml_switch, yaml_values
from novum.source.literals import written
from novum.source.source_text import BOM, Edit, apply

_ENDINGS = {".yaml": yaml_values, ".yml": yaml_values, ".json": json_values, ".toml": toml_values}


@lru_cache(maxsize=256)
def declared(text: str, path: str) -> tuple[Declared, ...]:
    """The values that a Python, YAML, JSON or TOML file declares; none for other files and for what does not parse."""
    ending = PurePosixPath(path).suffix.lower()
    if ending == ".py":
        return numbered(_python_values(text, path))
    return numbered(_ENDINGS[ending](text)) if ending in _ENDINGS else ()


def _python_values(text: str, path: str) -> Iterator[Declared]:
    if text.startswith(BOM) or "\r" in text.replace("\r\n", ""):
        return  # places would be counted in two ways
    try:
        source = PythonSource(text, path)
    except StudyError:
        return
    for read in (argument_defaults, class_fields, constants, call_keywords):
        yield from (one for one in read(source) if one is not None)


def set_declared(text: str, path: str, values: Mapping[str, Scalar]) -> str:
    """`text` with other values at some of the places that it declares. Raises StudyError.

    A literal that already has its value stays as it is written; all text besides stays byte for byte.
    """
    places = {one.place: one for one in declared(text, path)}
    if unknown := [place for place in values if place not in places]:
        raise StudyError(f"{path}: declares no value at {unknown[0]!r}: choose one of {', '.join(places) or 'none'}")
    edits = []
    for place, value in values.items():
        one = places[place]
        new = _fitting(one, value, path)
        if not same(one.value, new):
            edits.append(Edit(one.start, one.end, _literal(text[one.start : one.end], new, path)))
    return apply(text, edits)


def _fitting(one: Declared, value: Scalar, path: str) -> Scalar:
    """A value as the type that the place has. Raises StudyError."""
    kind = type(one.value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        if kind is float:
            return float(value)
        if kind is int and value == int(value):
            return int(value)
    if type(value) is kind and kind in (bool, str):
        return value
    raise StudyError(f"{path}:{one.line}: {one.place} is of type {kind.__name__}, not {value!r}: give such a value")


def _literal(old: str, value: Scalar, path: str) -> str:
    """A value as this kind of file writes it."""
    ending = PurePosixPath(path).suffix.lower()
    if isinstance(value, bool):
        if ending == ".py":
            return repr(value)
        return yaml_switch(old, value) if ending != ".json" else json.dumps(value)
    if isinstance(value, str):
        return _quoted(old, value, ending)
    return yaml_number(written(value)) if ending in (".yaml", ".yml") else written(value)


def _quoted(old: str, value: str, ending: str) -> str:
    """A text in the quotes of the one that it replaces, where these can hold it."""
    if ending == ".py":
        quote = next((letter for letter in old if letter in "'\""), '"')
        body = json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"')
        return f"{quote}{body.replace(quote, chr(92) + quote)}{quote}"
    plain = value.isprintable()
    if old.startswith("'") and plain and (ending != ".toml" or "'" not in value):
        return "'" + value.replace("'", "''") + "'"
    if not old.startswith(("'", '"')) and not yaml_needs_quotes(value):
        return value
    return json.dumps(value, ensure_ascii=False)
