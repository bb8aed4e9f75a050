"""What has changed between the program of a campaign and its directory of today: rules, or what lies about."""

from __future__ import annotations

from dataclasses import dataclass, fields

from novum.arenas.program.bundle import Bundle
from novum.arenas.program.manifest import Program
from novum.arenas.program.study_files import declared, mentioned

_CODE = (".py", ".sh")


@dataclass(frozen=True, slots=True)
class BundleChanges:
    """Differences in words. With no rule among them a campaign goes on with the files that it recorded."""

    rules: tuple[str, ...]
    """Keys of the table, and files that the results depend on."""
    others: tuple[str, ...]
    """Files of which neither the study nor any of its programs says a word."""


def changes(before: Bundle, now: Bundle) -> BundleChanges:
    """Compare two bundles: the table key by key, the files one by one."""
    rules = [
        f"program.{one.name} was {_short(was)} and is {_short(value)}"
        for one in fields(Program)
        if one.name != "ignore"
        and (was := getattr(before.program, one.name)) != (value := getattr(now.program, one.name))
    ]
    others: list[str] = []
    old, new = {**before.shown, **before.kept}, {**now.shown, **now.kept}
    texts = {path: data.decode(errors="ignore") for path, data in old.items() if path.endswith(_CODE)}
    for path in sorted({*old, *new} - {"study.toml"}):
        if old.get(path) == new.get(path):
            continue
        word = "is new" if path not in old else "is gone" if path not in new else "has changed"
        known = [text for other, text in texts.items() if other != path]
        matters = declared(path, now.program) or (
            _imported(path, known) if path not in old else mentioned(path, [*known, *_words(now.program)])
        )
        (rules if matters else others).append(f"{path} {word}")
    return BundleChanges(tuple(rules), tuple(others))


def _imported(path: str, texts: list[str]) -> bool:
    """Whether a file that was not there before is a module that a program asks for."""
    return path.endswith(".py") and mentioned(path, texts)


def _words(program: Program) -> list[str]:
    return [" ".join(command) for command in (program.prepare, program.score, *(one.command for one in program.runs))]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
