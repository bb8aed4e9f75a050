"""A known answer: the study in which it may be found again, and how it is recognised."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, ClassVar

from annotated_types import Gt

from novum.core.model.errors import UserError
from novum.core.model.options import parse_options


@dataclass(frozen=True, slots=True)
class Target:
    """The table `target` of a study file of the battery."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    answer: str
    """What is to be found, in words."""
    hidden: str
    """What the proposer is not given."""
    recogniser: str
    """A module that is run as a program and says which known parts or rules candidates are."""
    accepted: tuple[str, ...]
    """Names that the recogniser may give; all of one of these, joined by " + ", must be there."""
    source: str = ""
    """Where the answer was published."""
    share: Annotated[float, Gt(0)] = 1.0
    """Of the budget, relative to other targets."""


@dataclass(frozen=True, slots=True)
class TargetStudy:
    """A target with the text of its study."""

    name: str
    target: Target
    study: str
    options: dict[str, Any]
    arena: str


@lru_cache(maxsize=1)
def targets() -> tuple[TargetStudy, ...]:
    """All targets, by the numbers of their files."""
    files = [file for file in resources.files("novum.battery.targets").iterdir() if file.name.endswith(".toml")]
    return tuple(_read(file.name, file.read_text("utf-8")) for file in sorted(files, key=lambda one: one.name))


def chosen(only: str) -> list[TargetStudy]:
    """Those named, separated by commas; all for an empty text. Raises UserError."""
    every = {one.name: one for one in targets()}
    names = [name for one in only.split(",") if (name := one.strip())] or list(every)
    if unknown := next((name for name in names if name not in every), None):
        raise UserError(f"--only: there is no target {unknown!r}; choose from {', '.join(every)}")
    return [every[name] for name in dict.fromkeys(names)]


def _read(file: str, text: str) -> TargetStudy:
    """A target from its file; the study is everything before the table `target`, and does not bear its name."""
    whole = tomllib.loads(text)
    target = parse_options(Target, whole["target"], f"the target {file}", "target")
    study, _, _ = text.partition("\n[target]\n")
    name = file.removesuffix(".toml").partition("-")[2]
    return TargetStudy(name, target, study + "\n", whole.get("options", {}), str(whole["arena"]))
