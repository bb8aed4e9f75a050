"""Which files of a directory belong to a program study: declared inputs do, what lies about does not.

Left out are labs, environments, version control, editors' and shells' leftovers, what the program or its preparation
writes, hidden files and large files that no program names, and what `ignore` says. Links are followed within the
directory. Whatever else is left out although it might be missed is named.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from novum.arenas.program.manifest import Program
from novum.core.model.errors import StudyError

MAX_BYTES = 16 << 20
"""Of all files together. Larger data stay where they are and are named under `data`."""
LARGE = 4 << 20
"""A larger file belongs to the study only if a program or the study names it."""

FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".ipynb_checkpoints"}
    | {f".{name}_cache" for name in ("mypy", "pytest", "ruff")}
)
MARKS = ("lab.db", "pyvenv.cfg", "conda-meta")
"""What makes a folder a lab or an environment."""
LEFTOVERS = (
    *("nohup.out", "*~", "*.swp", "*.swo", ".#*", "#*#", "*.orig", "*.rej", "*.bak", "*.tmp", "*.pyc", "*.pyo"),
    *(".DS_Store", "Thumbs.db", ".coverage", ".gitignore", ".gitattributes", "novum.jsonl"),
)
DUMPS = ("core", "core.[0-9]*")
"""What a system leaves of a crash: files only, for packages are called core too."""
_CODE = (".py", ".sh", ".toml", ".json", ".yaml", ".yml", ".cfg", ".ini", ".txt", ".md")


@dataclass(frozen=True)
class StudyFiles:
    """The files of a study by their paths, and what was left out and might be missed, in words."""

    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


def fits(path: str, globs: Iterable[str]) -> bool:
    """Whether a path fits a glob or lies below one."""
    return any(fnmatch.fnmatchcase(path, glob) or path.startswith(glob.rstrip("/") + "/") for glob in globs)


def declared(path: str, program: Program) -> bool:
    """Whether the study itself names a file: it may change, is hidden, or stands in a command."""
    commands = (program.prepare, program.score, *(phase.command for phase in program.runs))
    return fits(path, (*program.editable, *program.hidden)) or any(path in command for command in commands)


def mentioned(path: str, texts: Iterable[str]) -> bool:
    """Whether a text names a file: by its name, as a module, by its folder or its ending."""
    folder, _, name = path.rpartition("/")
    stem, dot, ending = name.partition(".")
    words = {name, *([stem] if ending == "py" else []), *folder.split("/"), *([f"{dot}{ending}"] if dot else [])} - {""}
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words) if word != ".py"))
    return any(pattern.search(text) for text in texts)


def read_files(directory: Path, program: Program) -> StudyFiles:
    """The files that belong to a study. Raises StudyError for one that cannot be read, or too many bytes."""
    found = _Found(directory.resolve(), program)
    for path, file in found.walk(directory.resolve(), ""):
        found.take(path, file)
    found.settle()
    return StudyFiles(dict(sorted(found.files.items())), tuple(found.left_out))


@dataclass
class _Found:
    root: Path
    program: Program
    files: dict[str, bytes] = field(default_factory=dict)
    later: dict[str, tuple[Path, str]] = field(default_factory=dict)
    """What belongs only if a text names it, with the reason to leave it out."""
    left_out: list[str] = field(default_factory=list)
    size: int = 0

    def walk(self, folder: Path, prefix: str, above: tuple[Path, ...] = ()) -> Iterator[tuple[str, Path]]:
        """Files below a folder by their paths, links within the study followed, none in a circle."""
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            path, file = f"{prefix}{entry.name}", Path(entry.path)
            if not _is_text(path):
                self.left_out.append(f"{path!a}: its name is not UTF-8")
            elif self._skipped(path, entry.name) or (entry.is_file() and fits(entry.name, DUMPS)):
                continue
            elif entry.is_symlink() and not self._inside(file):
                self.later[path] = (file, "a link that leads out of the study's directory, or nowhere")
            elif entry.is_dir():
                real = file.resolve()
                if real not in (*above, self.root) and not any((file / mark).exists() for mark in MARKS):
                    yield from self.walk(file, f"{path}/", (*above, real))
            elif not entry.is_file():
                self.left_out.append(f"{path}: neither a file nor a folder")
            else:
                yield path, file

    def take(self, path: str, file: Path) -> None:
        """Add a file, or put it aside until it is known whether a text names it."""
        if declared(path, self.program) or path == "study.toml":
            self._add(path, file)
        elif any(part.startswith(".") for part in path.split("/")):
            self.later[path] = (file, "a hidden file that no program names")
        elif _size(file) > LARGE:
            self.later[path] = (file, f"over {LARGE >> 20} MiB, and no program names it")
        else:
            self._add(path, file)

    def settle(self) -> None:
        """Decide about what was put aside."""
        texts = [data.decode(errors="ignore") for path, data in self.files.items() if path.endswith(_CODE)]
        for path, (file, why) in self.later.items():
            wanted = declared(path, self.program) or _named(path, texts)
            if wanted and why.startswith("a link"):
                raise StudyError(
                    f"{self.root / path}: is {why}: put a copy there, or name the target under program.data "
                    "(by its absolute path), or the link under program.ignore"
                )
            if wanted:
                self._add(path, file)
            else:
                self.left_out.append(f"{path}: {why}")

    def _skipped(self, path: str, name: str) -> bool:
        made = (*self.program.visible, *self.program.truth, *(one.name for one in self.program.outputs))
        kept = (name for phase in self.program.phases for name in phase.keeps)
        own = path in (*made, *kept) and not declared(path, self.program)
        own = own or (self.program.is_score_file(path) and path not in self.program.output_names)
        own = own or path == self.program.checkpoint
        return own or name in FOLDERS or fits(name, LEFTOVERS) or fits(path, self.program.ignore)

    def _inside(self, link: Path) -> bool:
        try:
            return link.resolve(strict=True).is_relative_to(self.root)
        except (OSError, RuntimeError):
            return False

    def _add(self, path: str, file: Path) -> None:
        self.size += _size(file)
        if self.size > MAX_BYTES:
            raise StudyError(
                f"{self.root} holds over {MAX_BYTES >> 20} MiB, with {path}: name large files under program.data, by "
                "absolute path, and what does not belong to the study under program.ignore"
            )
        try:
            self.files[path] = file.read_bytes()
        except OSError as error:
            raise StudyError(f"{file}: cannot be read: {error.strerror}; program.ignore leaves it out") from None


def _named(path: str, texts: Iterable[str]) -> bool:
    """Whether a text names this very file or, for a folder's link or a module, its stem."""
    name = path.rpartition("/")[2]
    words = {name, name.removesuffix(".py")}
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}(?!\w)" for word in sorted(words)))
    return any(pattern.search(text) for text in texts)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
