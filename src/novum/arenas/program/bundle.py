"""A program's directory as one string, so that a study holds all it needs: any machine can verify and replay it.

The user's directory is read once and never written. What the candidate sees, what scores it and what is hidden from it
are told apart here, by name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from novum.arenas.program.manifest import Program, parse_program, table
from novum.arenas.program.study_files import MAX_BYTES, fits, read_files
from novum.core.model.errors import StudyError
from novum.source.space import SourceSpace
from novum.text.bounded_json import JsonBounds, load_json
from novum.text.canonical_json import canonical, digest
from novum.text.secret_scan import Secrets

_CONTENT = JsonBounds(size=4 * MAX_BYTES, values=200_000, containers=50_000)


@dataclass(frozen=True)
class Bundle:
    """A program study, complete. shown: files of the candidate's tree; kept: files that no candidate ever sees."""

    program: Program
    shown: Mapping[str, bytes]
    kept: Mapping[str, bytes]
    name: str

    @property
    def editable(self) -> dict[str, str]:
        """The files that may change, as text. Raises StudyError for one that is none."""
        return {path: _text(path, data) for path, data in self.shown.items() if fits(path, self.program.editable)}

    @cached_property
    def space(self) -> SourceSpace:
        """The programs that may be tried. What the tree itself and `packages` offer may be imported."""
        modules = {path.partition("/")[0].removesuffix(".py") for path in self.shown if path.endswith(".py")}
        known = tuple(sorted({*modules, *self.program.packages}))
        program = self.program
        return SourceSpace(self.editable, program.creatable, known, program.parameters, program.protect)

    @cached_property
    def hidden_names(self) -> frozenset[str]:
        """Kept and truth files by path, and by bare name where that has an ending and no visible file shares it."""
        program = self.program
        seen = {*self.shown, *program.visible, *(one.name for one in program.outputs)}
        seen |= {kept for phase in program.phases for kept in phase.keeps}
        seen |= {path.rsplit("/", 1)[-1] for path in seen}
        paths = {*self.kept, *program.truth}
        bare = {path.rsplit("/", 1)[-1] for path in paths}
        return frozenset(name for name in paths | bare if name not in seen and ("/" in name or "." in name[1:-1]))

    @property
    def digest(self) -> str:
        """SHA-256 over the table and every file."""
        return digest([table(self.program), _sums(self.shown), _sums(self.kept)])

    def packed(self) -> str:
        """The bundle as text; equal bundles give equal text."""
        content = {
            "program": table(self.program),
            "shown": {path: _armour(data) for path, data in sorted(self.shown.items())},
            "kept": {path: _armour(data) for path, data in sorted(self.kept.items())},
            "name": self.name,
        }
        return base64.b85encode(zlib.compress(canonical(content), 9)).decode()


def without_walls(text: str) -> str:
    """The same bundle, content with plain limits where no sandbox can be had. Raises StudyError."""
    bundle = unpacked(text)
    return replace(bundle, program=replace(bundle.program, isolation="none")).packed()


@lru_cache(maxsize=16)
def unpacked(text: str) -> Bundle:
    """The bundle of a packed text. Raises StudyError."""
    try:
        # Bounded: a text of this size must not fill the memory.
        content: Any = load_json(zlib.decompressobj().decompress(base64.b85decode(text), 4 * MAX_BYTES), _CONTENT)
        shown = {path: base64.b64decode(data) for path, data in content["shown"].items()}
        kept = {path: base64.b64decode(data) for path, data in content["kept"].items()}
        return Bundle(parse_program(content["program"]), shown, kept, str(content["name"]))
    except (ValueError, zlib.error, binascii.Error, KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"options.bundle: no packed program ({type(error).__name__})") from None


def read_directory(directory: Path, program: Program, name: str) -> tuple[Bundle, tuple[str, ...]]:
    """The bundle of a directory with a study file in it, and what was left out of it, in words. Raises StudyError."""
    found = read_files(directory, program)
    kept = {path for path in found.files if _is_kept(path, program)}
    bundle = Bundle(
        program,
        {path: data for path, data in found.files.items() if path not in kept},
        {path: data for path, data in found.files.items() if path in kept},
        name,
    )
    _check(bundle, directory)
    return bundle, found.left_out


def _is_kept(path: str, program: Program) -> bool:
    """Whether no candidate may see a file: what is hidden, the scripts of prepare and score, the study itself."""
    scripts = {word for command in (program.prepare, program.score) for word in command}
    return path in scripts or path == "study.toml" or fits(path, program.hidden)


def _check(bundle: Bundle, directory: Path) -> None:
    program, secrets = bundle.program, Secrets.of(os.environ)
    for command in (program.prepare, program.score):
        scripts = [word for word in command if word.endswith(".py")]
        if missing := [word for word in scripts if word not in bundle.kept]:
            raise StudyError(f"{directory}: the script {missing[0]!r} is not there")
    if not bundle.editable:
        raise StudyError(f"program.editable: no file of {directory} fits {', '.join(program.editable)}")
    if taken := sorted({output.name for output in program.outputs} & set(bundle.kept)):
        raise StudyError(f"program.outputs: {taken[0]!r} has the name of a file that the scorer reads; rename one")
    for path, data in [*bundle.shown.items(), *bundle.kept.items()]:
        if line := secrets.where(data.decode(errors="ignore")):
            raise StudyError(
                f"{directory / path} line {line}: looks like a key or a password, and would be in the record for ever: "
                "take it out of the study's directory"
            )
    for path in program.data:
        if not Path(path).is_absolute() or not Path(path).exists():
            raise StudyError(f"program.data: {path!r} is no absolute path of an existing file or folder")


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise StudyError(f"program.editable: {path} is not UTF-8 text") from None


def _sums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}


def _armour(data: bytes) -> str:
    return base64.b64encode(data).decode()
