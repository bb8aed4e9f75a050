"""The `[program]` table of a study file: what is run, what may change, what is hidden, who scores."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import TypeAdapter, ValidationError

from novum.core.model.errors import StudyError
from novum.sandbox.glob_files import fits_glob, is_glob
from novum.source.parameters import Parameter
from novum.source.protected import Protection

Command = Annotated[tuple[str, ...], MinLen(1)]
_STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}
MOST_GPUS = 8
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
    """A score that the candidate itself reports: in a file that it leaves, or by a pattern from what it prints.

    file: its name, or a glob where the name differs from run to run ("runs/**/events.out.tfevents.*"). key: a key of
    JSON or JSON lines, nested ones joined by dots, a column of a CSV or TSV table, or a tag of a TensorBoard event
    file. take: which of the numbers that fit the pattern, or stand under the key.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    file: str = ""
    key: str = ""
    pattern: str = ""
    take: Literal["last", "min", "max", "mean"] = "last"


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
    parameters: declared values that are tried within ranges. protect: what of the editable files is fixed; where it is
    given, so are prints, argument declarations and seeds. compute: whether a claim holds at no more than 1.05 times the
    incumbent's CPU time. python: the interpreter of the user's own environment; empty: Novum's. seed: how a trial's
    seed reaches the program beside {seed} in its command: "train.py: SEED" (a declared value), "$SEED", or
    "outside". progress: a pattern with one group for the readings of a run on its way; empty: that of the score.
    gpus: how many GPUs a trial holds while it runs; with them compute is GPU time. remarks: a file that the program may
    leave for whoever proposes next. checkpoint: a file that the
    candidate writes on its way and goes on from where it is there; a trial that was cut short starts from it.
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
    parameters: tuple[Parameter, ...] = ()
    protect: Protection | None = None
    compute: Literal["equal", "free"] = "equal"
    python: str = ""
    seed: str = ""
    progress: str = ""
    gpus: Annotated[int, Ge(0), Le(MOST_GPUS)] = 0
    checkpoint: str = ""
    remarks: str = ""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(one.name for one in self.outputs)

    @property
    def score_file(self) -> str:
        """The file in which the candidate reports its score; empty for none."""
        return self.report.file if self.report else ""

    @property
    def left(self) -> tuple[str, ...]:
        """The files that a run must leave: the outputs, and the one with the score."""
        named = () if not self.score_file or self.searched else (self.score_file,)
        return tuple(dict.fromkeys((*self.output_names, *named)))

    @property
    def searched(self) -> tuple[str, ...]:
        """The glob of the file with the score, where it has no name of its own."""
        return (self.score_file,) if is_glob(self.score_file) else ()

    def is_score_file(self, path: str) -> bool:
        """Whether the score is read from a file."""
        return path == self.score_file or any(fits_glob(path, one) for one in self.searched)

    @property
    def progress_pattern(self) -> str:
        """What finds readings of a run's progress in what it prints; empty for none."""
        return self.progress or (self.report.pattern if self.report else "")

    @property
    def runs(self) -> tuple[Phase, ...]:
        """The phases; a bare command is a single one that sees everything visible."""
        return self.phases or (Phase(self.command, self.visible),)


_LATER: dict[str, Any] = {
    "parameters": [],
    "protect": None,
    "compute": "equal",
    "python": "",
    "seed": "",
    "progress": "",
    "gpus": 0,
    "checkpoint": "",
    "remarks": "",
}
"""Keys that studies of earlier versions did not have, with what they stand for there."""


def table(program: Program) -> dict[str, Any]:
    """The table as plain values, the same as ever for a study that uses no key which came later."""
    values: dict[str, Any] = TypeAdapter(Program).dump_python(program, mode="json")
    for key, usual in _LATER.items():
        if values[key] == usual:
            del values[key]
    for parameter in values.get("parameters", []):
        if not parameter["cost"]:
            del parameter["cost"]
    if (report := values["report"]) and report["take"] == "last":
        del report["take"]
    if (protect := values.get("protect")) and not protect["calls"]:
        del protect["calls"]
    return values


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
    if one.progress and _groups(one.progress) != 1:
        found.append("progress must be a regular expression with one group, around the number")
    if one.score and not one.outputs:
        found.append("score needs outputs: the files that the candidate leaves for the scorer")
    called = [parameter.name for parameter in one.parameters]
    if twice := sorted({name for name in called if called.count(name) > 1}):
        found.append(f"two parameters are called {twice[0]!r}")
    if one.python and not PurePosixPath(one.python).is_absolute():
        found.append(f"python: {one.python!r} is no absolute path of an interpreter")
    for name in [
        *one.left,
        *one.searched,
        *one.visible,
        *one.truth,
        *(kept for phase in one.phases for kept in phase.keeps),
    ]:
        if not _relative(name):
            found.append(f"{name!r} is no plain relative path")
        if name.endswith(UNSAFE_SUFFIXES):
            found.append(f"{name!r}: reading such a file runs code; use .npy, .json, .csv or text")
    if one.remarks and (not _relative(one.remarks) or is_glob(one.remarks) or one.remarks in one.left):
        found.append(f"remarks: {one.remarks!r} must be a plain relative path, and none of the outputs")
    if unknown := {seen for phase in one.phases for seen in phase.sees} - set(one.visible):
        found.append(f"phases see {sorted(unknown)[0]!r}, which is not among the visible files")
    if (one.visible or one.truth) and not one.prepare:
        found.append("visible and truth are what prepare makes: give a prepare command")
    if both := set(one.visible) & set(one.truth):
        found.append(f"{sorted(both)[0]!r} cannot be both visible and truth")
    return [*found, *(_checkpoint_problems(one) if one.checkpoint else [])]


def _checkpoint_problems(one: Program) -> list[str]:
    """Why a trial could not go on from the checkpoint; only the candidate itself reads it, so any format will do."""
    found = []
    if not _relative(one.checkpoint):
        found.append(f"checkpoint: {one.checkpoint!r} is no plain relative path")
    if one.phases:
        found.append("checkpoint: a program of several phases has none; give a command")
    if one.checkpoint in (*one.left, *one.visible, *one.truth) or one.is_score_file(one.checkpoint):
        found.append(f"checkpoint: {one.checkpoint!r} is also an output, the score's file or what prepare makes")
    if one.checkpoint in (*one.editable, *one.command, *one.prepare, *one.score):
        found.append(f"checkpoint: {one.checkpoint!r} is a file of the program, not one that its run writes")
    if one.report and one.report.take != "last":
        found.append(
            f"checkpoint: a run that goes on from it shows the later numbers only, and report.take is the "
            f'{one.report.take} of all; take the "last", or do without a checkpoint'
        )
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
