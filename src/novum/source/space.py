"""Candidates that are source trees. A genome holds the files that differ from the base tree, each with its full text.

The normal form makes one candidate of all texts that are one program: line ends are line feeds, files whose syntax
equals the base's are dropped, text outside EVOLVE-BLOCK markers is the base's.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from novum.core.model.candidate import Genome, Scalar
from novum.core.model.errors import StudyError
from novum.source import blocks, check, meaning
from novum.source.mutate import random_mutant
from novum.source.parameter_values import reset, values, with_parameters
from novum.source.parameters import Parameter
from novum.source.program_text import Mutation
from novum.source.protected import Protection, check_fixed, closed_spans, is_open
from novum.source.source_text import dressed, plain
from novum.text.canonical_json import digest

MAX_CHARACTERS = 1_000_000
"""Of one file. The overlay of a candidate travels in the ledger."""

_PATH = re.compile(r"(?!/)(?:(?!\.{1,2}(?:/|$))[^/\\\0\n\r]+(?:/|$))+(?<!/)")


@dataclass(frozen=True)
class SourceSpace:
    """The programs that an arena admits: changes to the editable files of a base tree.

    base: every editable file, relative POSIX path -> text. creatable: folders in which new files may appear ("" is the
    whole tree). modules: what may be imported besides what is installed and what the base imports, such as fixed files
    of the tree. parameters: values that the base declares and that are tried within ranges. protection: what of the
    files is fixed; None where all may change. Raises StudyError for a base that cannot be edited.
    """

    base: Mapping[str, str]
    creatable: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    protection: Protection | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", dict(sorted(self.base.items())))
        object.__setattr__(self, "creatable", tuple(sorted(self.creatable)))
        for path, text in self.base.items():
            _checked_path(path)
            _checked_text(path, text)
            blocks.blocks(plain(text), path)
            if meaning.is_python(path):
                meaning.parsed(plain(text), path)
        values(self.plain_base, self.parameters)

    def __hash__(self) -> int:
        return hash(self.address)

    @cached_property
    def address(self) -> str:
        """The content address of the base and of what may be created."""
        rules = [repr(self.parameters), repr(self.protection)] if self.parameters or self.protection else []
        return digest(
            {"base": dict(self.base), "creatable": list(self.creatable), **({"rules": rules} if rules else {})}
        )

    @cached_property
    def plain_base(self) -> Mapping[str, str]:
        """The base with a line feed at the end of each line: what genomes are compared with."""
        return {path: plain(text) for path, text in self.base.items()}

    @cached_property
    def _imported(self) -> frozenset[str]:
        """Modules that the base imports, and those that its own files are: known to exist."""
        return check.known_modules(self.plain_base) | frozenset(self.modules)

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`. Raises StudyError with file, line and what to do."""
        return {path: text for path in sorted(genome) if (text := self._file(path, genome)) is not None}

    def _file(self, path: str, genome: Genome) -> str | None:
        """The normal text of one file, or None when it is the base's."""
        text = genome[path]
        if not isinstance(text, str):
            raise StudyError(f"{path}: a file of a program is text, not {type(text).__name__}: give its full text")
        base = self.plain_base.get(path)
        if base is None:
            self._may_create(path)
        known = self._imported | check.own_modules(tuple(sorted(set(genome) - set(self.base))))
        new = _normal(path, base, text, known)
        if new is not None and base is not None and (self.protection or self.parameters):
            mine = tuple(one for one in self.parameters if one.path == path)
            unchanged = reset(base, new, path, mine)
            if self.protection:
                check_fixed(base, unchanged, path, self.protection.of(path))
        return new

    def parameter_values(self, genome: Genome) -> dict[str, Scalar]:
        """The parameters of a genome in normal form, by their names."""
        return values({path: self.text(genome, path) for path in self.base}, self.parameters)

    def with_parameters(self, genome: Genome, new: Mapping[str, Scalar]) -> Genome:
        """A genome in normal form with other values of some parameters. Raises StudyError."""
        changed = with_parameters({path: self.text(genome, path) for path in self.base}, self.parameters, new)
        return self.validate({**genome, **changed})

    def allows(self, genome: Genome, mutation: Mutation) -> bool:
        """Whether a mutation of a genome in normal form leaves alone what is fixed, and what the base never runs."""
        if self.protection is None or mutation.path not in self.plain_base:
            return True
        text = self.text(genome, mutation.path)
        spans = closed_spans(self.plain_base[mutation.path], text, mutation.path, self.protection.of(mutation.path))
        return all(is_open(spans, edit) for edit in mutation.edits)

    def _may_create(self, path: str) -> None:
        _checked_path(path)
        if not any(folder == "" or path.startswith(folder.rstrip("/") + "/") for folder in self.creatable):
            where = f" or create files in {', '.join(self.creatable)}" if self.creatable else ""
            raise StudyError(f"{path}: not an editable file: change {', '.join(self.base)}{where}")
        if any(old.startswith(path + "/") or path.startswith(old + "/") for old in self.base):
            raise StudyError(f"{path}: a file and a folder of the base tree share this name: choose another")

    def key(self, genome: Genome) -> str:
        """A digest that is equal for genomes which are the same program: see `novum.source.meaning`."""
        parts = {}
        for path, text in self.validate(genome).items():
            mark = meaning.meaning(str(text), path)
            if path not in self.plain_base or mark != meaning.meaning(self.plain_base[path], path):
                parts[path] = mark
        return digest(parts)

    def complete(self, genome: Genome) -> dict[str, str]:
        """Every editable file with the overlay applied, with the line ends of the base."""
        changed = self.validate(genome)
        overlay = {path: dressed(str(text), self.base.get(path, "")) for path, text in changed.items()}
        return {**self.base, **overlay}

    def text(self, genome: Genome, path: str) -> str:
        """The plain text of a file in a genome in normal form; empty when the file does not exist."""
        return str(genome[path]) if path in genome else self.plain_base.get(path, "")

    def sample(self, rng: random.Random) -> Genome:
        """The base after one to four random mutations."""
        genome: Genome = {}
        for _ in range(rng.choice((1, 1, 2, 3, 4))):
            genome = self.mutate(genome, rng)
        return genome

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """`genome` after one random mutation that changes its key; the genome itself when 50 draws bring none.

        Where there are parameters, every second one is another value of one of them.
        """
        if self.parameters and rng.random() < 0.5:
            return self._other_value(genome, rng)
        return random_mutant(self, genome, rng)

    def _other_value(self, genome: Genome, rng: random.Random) -> Genome:
        start = self.validate(genome)
        now = self.parameter_values(start)
        one = rng.choice(self.parameters)
        try:
            return self.with_parameters(start, {one.name: one.near(now[one.name], rng)})
        except StudyError:
            return start


@lru_cache(maxsize=2048)
def _normal(path: str, base: str | None, text: str, known: frozenset[str]) -> str | None:
    _checked_text(path, text)
    new = plain(text)
    if meaning.is_python(path) and (base or "").strip() and not new.strip():
        raise StudyError(f"{path}: nothing is left in it: give its full text, or leave it out to keep it as it is")
    if base is not None:
        new = blocks.restored(base, new, path)
    if base is not None and _same(new, base, path):
        return None
    if meaning.is_python(path):
        meaning.parsed(new, path)
        check.check(new, base or "", path, known)
    return new


def _same(new: str, base: str, path: str) -> bool:
    """Whether the syntax is equal; the second comparison is rarely needed."""
    if new == base:
        return True
    same = meaning.meaning(new, path) == meaning.meaning(base, path)
    return same and meaning.structure(new, path) == meaning.structure(base, path)


def _checked_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise StudyError(
            f"{path!r}: not a relative path with forward slashes inside the tree: name it like pkg/file.py"
        )


def _checked_text(path: str, text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise StudyError(f"{path}: {len(text)} characters, at most {MAX_CHARACTERS} are allowed: shorten or split it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StudyError(f"{path}:{_line(text, error.start)}: not encodable as UTF-8: remove the character") from error
    if "\0" in text:
        raise StudyError(f"{path}:{_line(text, text.index(chr(0)))}: a NUL character: editable files are text")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
