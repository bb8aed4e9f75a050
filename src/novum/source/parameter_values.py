"""Values of parameters in the texts of a program, and texts with other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError
from novum.source.declared.declarations import declared, set_declared
from novum.source.parameters import Parameter


def values(texts: Mapping[str, str], parameters: Sequence[Parameter]) -> dict[str, Scalar]:
    """What each parameter is in these texts. Raises StudyError for one that is not declared any more."""
    found = {path: {one.place: one.value for one in declared(texts[path], path)} for path in
             {one.path for one in parameters} if path in texts}  # fmt: skip
    for one in parameters:
        if one.place not in found.get(one.path, {}):
            raise StudyError(
                f"program.parameters: {one.name}: {one.path} declares no {one.place!r}; it declares "
                f"{', '.join(found.get(one.path, {})) or 'nothing'}"
            )
    return {one.name: found[one.path][one.place] for one in parameters}


def with_parameters(
    texts: Mapping[str, str], parameters: Sequence[Parameter], new: Mapping[str, Scalar]
) -> dict[str, str]:
    """The files that change when some parameters get other values. Raises StudyError for a value that none may have."""
    by_name = {one.name: one for one in parameters}
    wanted: dict[str, dict[str, Scalar]] = {}
    for name, value in new.items():
        one = by_name.get(name)
        if one is None:
            raise StudyError(f"there is no parameter {name!r}: choose from {', '.join(by_name)}")
        if not one.admits(value):
            raise StudyError(f"{one.at}: {name} cannot be {value!r}: {allowed(one)}")
        wanted.setdefault(one.path, {})[one.place] = value
    return {path: set_declared(texts[path], path, places) for path, places in wanted.items()}


def reset(base: str, text: str, path: str, parameters: Sequence[Parameter]) -> str:
    """A text with the base's values of all parameters. Raises StudyError for values out of range, or gone."""
    old, new = values({path: base}, parameters), values({path: text}, parameters)
    for one in parameters:
        if new[one.name] != old[one.name] and not one.admits(new[one.name]):
            raise StudyError(f"{one.at}: {one.name} cannot be {new[one.name]!r}: {allowed(one)}")
    changed = {one.place: old[one.name] for one in parameters if new[one.name] != old[one.name]}
    return set_declared(text, path, changed) if changed else text


def allowed(one: Parameter) -> str:
    """The values that a parameter may take, in words."""
    if one.choices:
        return f"choose from {', '.join(map(repr, one.choices))}"
    return f"it lies from {one.low:g} to {one.high:g}"
