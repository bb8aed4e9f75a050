"""The `[program]` table of a study file: what is run, what may change, what is hidden, who scores."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import TypeAdapter, ValidationError

from novum.core.model.errors import StudyError

Command = Annotated[tuple[str, ...], MinLen(1)]
_STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}
UNSAFE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill")
"""Formats that run code when they are read; none of them is taken from a candidate."""


@dataclass(frozen=True)
class Phase:
    """One run of the candidate in a sandbox of its own: its command, the prepared files it sees, those it hands on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    command: Command
    sees: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """A file that the candidate must leave. dtype and shape (-1: any length) are held against .npy files."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    dtype: str = ""
    shape: tuple[int, ...] | None = None
    max_bytes: Annotated[int, Gt(0), Le(64 << 20)] = 16 << 20


@dataclass(frozen=True)
class Report:
    """A score that the candidate itself reports: from a key of a JSON output, or by a pattern from what it prints."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    file: str = ""
    key: str = ""
    pattern: str = ""


@dataclass(frozen=True)
class Further:
    """A further metric of the scorer, usable as a guardrail or in follow-ups."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    higher_is_better: bool = True
    resolution: Annotated[float, Gt(0)] = 0.001
    log: bool = False


@dataclass(frozen=True)
class Program:
    """What a program study says beside the study itself.

    command (or phases): how the candidate is run; {seed} is replaced. editable, creatable, hidden, ignore: globs of
    paths; what is ignored does not belong to the study.
    prepare: makes the files `visible` and `truth` from {seed}, where no candidate is. score: writes score.json from the
    outputs, for {seed} and {role}; it never shares a process with the candidate. metric units are those of its value.
    isolation: the weakest sandbox tier that will do. bounds: the lowest and the highest value there can be.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    metric: str
    editable: Annotated[tuple[str, ...], MinLen(1)]
    higher_is_better: bool = True
    resolution: Annotated[float, Gt(0)] = 0.001
    floor: float | None = None
    ceiling: float | None = None
    bounds: tuple[float, float] | None = None
    log: bool = False
    metrics: tuple[Further, ...] = ()
    command: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    outputs: tuple[Output, ...] = ()
    creatable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    report: Report | None = None
    packages: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    fixed_data: bool = False
    parallel_trials: Annotated[int, Ge(1), Le(64)] = 1
    isolation: Literal["namespaces", "landlock", "none"] = "landlock"

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def runs(self) -> tuple[Phase, ...]:
        """The phases; a bare command is a single one that sees everything visible."""
        return self.phases or (Phase(self.command, self.visible),)


def parse_program(values: object) -> Program:
    """The table as a Program. Raises StudyError, which begins with the path of the key."""
    try:
        return TypeAdapter(Program).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(["program", *(str(part) for part in first["loc"] if isinstance(part, str))])
        if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            raise StudyError(f"{path}: unknown key") from None
        if first["type"] in ("missing", "missing_argument"):
            raise StudyError(f"program: the key {path.rpartition('.')[2]!r} is missing") from None
        words = first["msg"].removeprefix("Value error, ")
        raise StudyError(f"{path}: {words[0].lower()}{words[1:]}") from None


def _problems(one: Program) -> list[str]:
    """What is wrong with a table whose keys are all of the right type, in the order of its keys."""
    found = []
    if one.bounds and not one.bounds[0] < one.bounds[1]:
        found.append("bounds are the lowest and the highest value that the metric can have, in this order")
    if bool(one.command) == bool(one.phases):
        found.append("give either a command or phases")
    if bool(one.score) == bool(one.report):
        found.append("give either score (a command that scores outside) or report (the candidate's own word)")
    if one.report and bool(one.report.pattern) == bool(one.report.file and one.report.key):
        found.append("report needs either a pattern or both file and key")
    if one.report and one.report.pattern and _groups(one.report.pattern) != 1:
        found.append("report.pattern must be a regular expression with one group, around the number")
    if one.score and not one.outputs:
        found.append("score needs outputs: the files that the candidate leaves for the scorer")
    names = [output.name for output in one.outputs]
    if one.report and one.report.file and one.report.file not in names:
        found.append(f"report.file: {one.report.file!r} is not among the outputs")
    for name in [*names, *one.visible, *one.truth, *(kept for phase in one.phases for kept in phase.keeps)]:
        if not _relative(name):
            found.append(f"{name!r} is no plain relative path")
        if name.endswith(UNSAFE_SUFFIXES):
            found.append(f"{name!r}: reading such a file runs code; use .npy, .json, .csv or text")
    if unknown := {seen for phase in one.phases for seen in phase.sees} - set(one.visible):
        found.append(f"phases see {sorted(unknown)[0]!r}, which is not among the visible files")
    if (one.visible or one.truth) and not one.prepare:
        found.append("visible and truth are what prepare makes: give a prepare command")
    if both := set(one.visible) & set(one.truth):
        found.append(f"{sorted(both)[0]!r} cannot be both visible and truth")
    return found


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error:
        return 0


def _relative(name: str) -> bool:
    parts = name.split("/")
    return (
        bool(name) and "\0" not in name and not PurePosixPath(name).is_absolute() and not {"", ".", ".."} & set(parts)
    )
