"""A person's project as it lies there: the script, its files, what they declare, and the interpreter that runs it."""

from __future__ import annotations

import ast
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from novum.adopt.hydra_files import HydraFiles, hydra_files
from novum.adopt.trackers import Offline, offline
from novum.arenas.program.manifest import Program, Report
from novum.arenas.program.study_files import read_files
from novum.core.model.errors import StudyError
from novum.source.declared.declaration import Declared
from novum.source.declared.declarations import declared
from novum.source.declared.given_fields import given_fields
from novum.source.source_text import plain

_USUAL = ("train.py", "main.py", "run.py", "trainer.py", "experiment.py")
_CONFIGURATION = (".yaml", ".yml", ".json", ".toml")


@dataclass(frozen=True)
class Project:
    """A script with the folder that it lives in. arguments: what it is called with, which stay as they are."""

    directory: Path
    script: str
    arguments: tuple[str, ...]
    python: str
    """An interpreter by absolute path; empty for Novum's own."""
    files: Mapping[str, bytes]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Its Python and configuration files as plain text, the script first."""
        found = {}
        for path in sorted(self.files, key=lambda one: (one != self.script, one)):
            if path.endswith((".py", *_CONFIGURATION)):
                try:
                    found[path] = plain(self.files[path].decode())
                except UnicodeDecodeError:
                    continue
        return found

    @cached_property
    def declared(self) -> dict[str, tuple[Declared, ...]]:
        """What the files that the script may use declare, by path; a field that every call gives is no setting."""
        used = {path: text for path, text in self.texts.items() if self._is_used(path)}
        given = given_fields(text for path, text in used.items() if path.endswith(".py"))
        found = {
            path: tuple(one for one in declared(text, path) if one.how != "field" or one.place not in given)
            for path, text in used.items()
        }
        last = {self.hydra.key(path, one.place): path for path in self.hydra.packages for one in found.get(path, ())}
        for path in self.hydra.packages:
            counts = (one for one in found.get(path, ()) if last[self.hydra.key(path, one.place)] == path)
            found[path] = tuple(counts)
        return found

    @cached_property
    def hydra(self) -> HydraFiles:
        """The configuration files that Hydra composes for the script."""
        return hydra_files(self.texts, self.arguments)

    def without(self, paths: Iterable[str]) -> Project:
        """The same project, some files not in it."""
        gone = set(paths)
        return replace(self, files={path: data for path, data in self.files.items() if path not in gone})

    @cached_property
    def offline(self) -> Offline:
        """What keeps its trackers from waiting for a network."""
        return offline(text for path, text in self.texts.items() if self._is_used(path))

    @property
    def study_file(self) -> Path:
        """Where its study goes."""
        return self.directory / "study.toml"

    def gives(self, one: Declared, path: str) -> bool:
        """Whether the command line decides a value, whatever its default is: by a flag, or by `optim.lr=0.1`."""
        flags = {word.partition("=")[0].lstrip("+") for word in self.arguments if word.startswith("-") or "=" in word}
        if one.how == "key" and self.hydra.key(path, one.place) in flags:
            return True
        return bool(flags & {one.place, f"--{one.name}", f"--{one.name.replace('_', '-')}"} - {one.name})

    @property
    def modules(self) -> tuple[str, ...]:
        """The packages that its files import; `novum`, of which a trial has what it needs, is none."""
        own = {path.partition("/")[0].removesuffix(".py") for path in self.files}
        found: set[str] = set()
        for path, text in self.texts.items():
            if path.endswith(".py") and self._is_used(path):
                found |= _imports(text)
        return tuple(sorted(found - own - sys.stdlib_module_names - {"novum"}))

    def _is_used(self, path: str) -> bool:
        """Whether the script may read a file: named in the project or its arguments, or a module that is imported."""
        if path == self.script or path in self.arguments or path in self.hydra.packages:
            return True
        name = path.rsplit("/", 1)[-1]
        stem = name.rsplit(".", 1)[0]
        if name in ("pyproject.toml", "package.json", "setup.py", "conftest.py") or stem.startswith("test_"):
            return False
        wanted = {name, path} if not path.endswith(".py") else {stem}
        return any(word in text for other, text in self.texts.items() if other != path and other.endswith(".py")
                   for word in wanted)  # fmt: skip


def find_project(target: Path, arguments: tuple[str, ...], python: str = "") -> Project:
    """The project of a script, or of a folder with one. Raises StudyError."""
    if not target.exists():
        raise StudyError(f"{target} is not there: give a script, or a folder with one")
    directory = (target if target.is_dir() else target.parent).resolve()
    script = _script(target, directory)
    given = Program(
        metric="?", editable=(script,), command=("python", script), report=Report(pattern="(.)"), ignore=("study.toml",)
    )
    files = read_files(directory, given).files
    return Project(directory, script, arguments, interpreter(directory, python), files)


def _script(target: Path, directory: Path) -> str:
    if target.is_file():
        if target.suffix != ".py":
            raise StudyError(f"{target}: not a Python script; for programs in other languages write a study by hand")
        return target.name
    scripts = sorted(path.name for path in directory.glob("*.py"))
    if len(scripts) == 1:
        return scripts[0]
    if usual := next((name for name in _USUAL if name in scripts), None):
        return usual
    main = [name for name in scripts if "__main__" in (directory / name).read_text(errors="replace")]
    if len(main) == 1:
        return main[0]
    raise StudyError(f"{directory}: which script is it? give its path: {', '.join(main or scripts) or 'there is none'}")


def interpreter(directory: Path, wanted: str = "") -> str:
    """The user's own interpreter: the one given, the project's environment, or the active one; "" for Novum's own.

    Raises StudyError for one that is not there.
    """
    if wanted:
        found = shutil.which(wanted) or wanted
        path = Path(found).absolute()
        path = path / "bin" / "python" if path.is_dir() else path
        if not path.is_file():
            raise StudyError(f"--python {wanted}: there is no interpreter {path}")
        return "" if path == Path(sys.executable) else str(path)
    folders = [directory / ".venv", directory / "venv", directory / "env"]
    folders += [Path(os.environ[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if os.environ.get(name)]
    for folder in folders:
        path = folder / "bin" / "python"
        if path.is_file():
            return "" if path.absolute() == Path(sys.executable).absolute() else str(path.absolute())
    return ""


def _imports(text: str) -> set[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    found = {
        one.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names
    }
    return found | {
        node.module.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
