"""Options of arenas, researchers and executors: a study's table held to the type that it is for.

The type says everything: a dataclass or pydantic model with annotated fields, `Literal` for choices, `annotated_types`
for ranges. What depends on several fields is checked in `__post_init__`, which may raise StudyError.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError

T = TypeVar("T")


def parse_options(kind: type[T], given: Setting, of: str, key: str = "options") -> T:
    """An instance of `kind` from a study's table. of: whose options they are; key: where the table stands in the study.

    Raises StudyError with the name of the option, what was given, and what is allowed.
    """
    from pydantic import ValidationError

    try:  # as JSON, since strict types take a table for an object only there
        found: T = _adapter(typing.cast("Any", kind)).validate_json(json.dumps(dict(given)))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join([key, *(str(part) for part in first["loc"])])
        raise StudyError(f"{name}: {_wrong(first, of, kind)}") from None
    return found


def configured(target: Callable[..., T], given: Setting, of: str, key: str = "options") -> T:
    """What a class or function makes of a study's options. Raises StudyError.

    Its own fields are the options; or it has one parameter, `options`, of a type whose fields they are, or that takes
    the table as it is.
    """
    inner = _inner(target)
    if inner is None:
        return parse_options(typing.cast("type[T]", target), given, of, key)
    return target(parse_options(inner, given, of, key) if _has_fields(inner) else dict(given))


def option_names(kind: Any) -> list[str]:
    """The options that a class or function takes."""
    inner = _inner(kind)
    if inner is not None:
        return option_names(inner) if _has_fields(inner) else []
    if dataclasses.is_dataclass(kind):
        return [one.name for one in dataclasses.fields(kind) if one.init]
    return list(getattr(kind, "model_fields", {}))


def _inner(target: Any) -> Any:
    """The type of a target's only parameter when that is called `options`, else None."""
    parameters = list(inspect.signature(target).parameters.values())
    if [one.name for one in parameters] != ["options"]:
        return None
    function = target.__init__ if inspect.isclass(target) else target
    hints = typing.get_type_hints(target if dataclasses.is_dataclass(target) else function)
    return hints.get("options", dict)


def _has_fields(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> Any:
    from pydantic import BaseModel, ConfigDict, TypeAdapter, with_config

    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return TypeAdapter(kind)
    return TypeAdapter(with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))(kind))


def _wrong(first: Any, of: str, kind: Any) -> str:
    """One problem in words: what was given, and what is allowed."""
    problem, value, names = first["type"], first["input"], option_names(kind)
    if problem in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown to {of}; " + (f"choose from {', '.join(names)}" if names else "it has no options")
    if problem in ("missing", "missing_argument"):
        return f"{of} cannot do without it"
    hints = typing.get_type_hints(kind, include_extras=True)
    hint = next((hints[part] for part in first["loc"] if part in hints), None)
    if problem == "literal_error":
        return f"cannot be {value!r}; choose {' or '.join(map(str, typing.get_args(hint)))}"
    bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    if problem.endswith(("_type", "_from_float", "_parsing")) and inspect.isclass(bare):
        return f"must be {bare.__name__}, not {value!r}"
    if said := _range(typing.get_args(hint)[1:], bare):
        return f"cannot be {value!r}; allowed are {said}"
    return f"cannot be {value!r}; it {str(first['msg']).replace('Input should', 'must')}"


def _range(bounds: tuple[Any, ...], bare: Any) -> str:
    """The numbers that annotations of `annotated_types` allow, in words; empty without bounds."""
    found = {}
    for name in ("ge", "gt", "le", "lt"):
        for bound in bounds:
            if (limit := getattr(bound, name, None)) is not None:
                found[name] = f"{float(limit)}" if bare is float else f"{limit}"
    if "ge" in found and "le" in found:
        return f"{found['ge']} to {found['le']}"
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    return " and ".join(f"{words[name]} {limit}" for name, limit in found.items())
