"""What the importers share: an outcome, copies of files, a study file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from novum.core.model.errors import StudyError

_SKIPPED = shutil.ignore_patterns(
    ".git", ".venv", "venv", "__pycache__", "*.pyc", "labs", "node_modules", "openevolve_output", "logs", "workspaces"
)


@dataclass(frozen=True)
class Imported:
    """Where the study was written, and what a user should know before running it."""

    directory: Path
    notes: tuple[str, ...]


def copied(source: Path, target: Path, needs: Iterable[str]) -> None:
    """Copy a directory into a new one, after checking that what is needed is there. Raises StudyError."""
    if not source.is_dir():
        raise StudyError(f"{source} is no directory")
    if missing := [name for name in needs if not (source / name).is_file()]:
        raise StudyError(f"{source}: there is no {missing[0]}, which this layout has")
    if target.exists():
        raise StudyError(f"{target} exists: choose another directory with -o DIR")
    try:
        shutil.copytree(source, target, ignore=_SKIPPED, symlinks=True)
    except (OSError, shutil.Error) as error:
        raise StudyError(f"cannot copy {source} to {target}: {str(error)[:300]}") from None


def helper(name: str) -> str:
    """A file that an importer adds to a study."""
    return resources.files("novum.integrations.importers").joinpath("files", f"{name}.in").read_text()


def name_of(directory: Path) -> str:
    """A study's name from a directory's."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", directory.resolve().name).strip("-") or "imported"


def study_file(name: str, question: str, program: Mapping[str, object], limits: Mapping[str, object]) -> str:
    """The text of a study file."""
    lines = [f"name = {_toml(name)}", f"question = {_toml(question)}", 'arena = "program"', 'budget = "10m"', ""]
    lines += ["[program]", *(f"{key} = {_toml(value)}" for key, value in program.items()), ""]
    lines += ["[limits]", *(f"{key} = {_toml(value)}" for key, value in limits.items()), ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's strings, numbers and truth values are TOML's, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
