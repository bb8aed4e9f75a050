"""Study files: TOML, checked key by key. Messages name the file, the line, the key and what is allowed."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from novum.arenas.program.bundle import read_directory
from novum.arenas.program.manifest import parse_program
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.metric import COMPUTE, FREE
from novum.core.model.study import NAME, NAME_RULE, Study
from novum.governance.hard_budget import parse_budget
from novum.ledger.codec import plain
from novum.registry import is_path, make_importable

_TAGS = frozenset({"str", "int", "float", "bool"})
"""What pydantic adds to the path of a value that may have several types."""

EQUAL = 1.05
"""How many times the incumbent's compute a claim about a program may take."""
CLEARLY_DEARER = 1.25
"""From here on a candidate is not screened to its end: what a few short runs measure is not exact."""

_LINE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class StudyFile:
    """A study, the budget its file suggests (unbounded when it names none), and where it was read from."""

    study: Study
    budget: Budget
    source: str
    text: str
    left_out: tuple[str, ...] = ()
    """Files of a program's directory that do not belong to the study and might be missed, in words."""

    def locate(self, error: StudyError) -> StudyError:
        """`error` with file and line in front, when its message begins with the path of a key."""
        path = re.match(r"([a-z_]+(?:\.[a-z_]+)*): ", str(error))
        return StudyError(f"{_where(self.source, self.text, path[1].split('.') if path else [])}: {error}")


def built_in() -> list[str]:
    """Names of the studies that ship with Novum."""
    files = resources.files("novum.studies").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_study(name: str) -> StudyFile:
    """Read a built-in study by name, or a TOML file by path. Raises StudyError."""
    if name in built_in():
        text = resources.files("novum.studies").joinpath(f"{name}.toml").read_text()
        return parse_study(text, f"study {name!r}")
    path = Path(name)
    if path.is_dir():
        path /= "study.toml"
    if path.suffix != ".toml" and not path.exists():
        raise StudyError(f"there is no study {name!r}: choose {', '.join(built_in())}, or give the path of a TOML file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise StudyError(f"cannot read the study file {path}: {reason}") from None
    found = parse_study(text, str(path), path.parent)
    if any(map(is_path, (found.study.arena, found.study.researcher.name, found.study.executor))):
        make_importable(path.parent)  # one's own classes lie beside the study that names them
    return found


def parse_study(text: str, source: str, directory: Path | None = None) -> StudyFile:
    """A study from TOML text; `source` is what messages call it. Raises StudyError.

    directory: where the files of a program study lie.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _LINE_IN_MESSAGE.search(str(error))
        where = f"{source} line {line[1]}" if line else source
        raise StudyError(f"{where}: not valid TOML: {_LINE_IN_MESSAGE.sub('', str(error)).strip()}") from None
    budget = _budget(values.pop("budget", None), source, text)
    _read_shares(values, source, text)
    left_out: tuple[str, ...] = ()
    if directory and "program" in values:
        try:
            left_out = _take_program(values, directory)
        except StudyError as error:
            raise StudyFile(Study("", ""), budget, source, text).locate(error) from None
    try:
        study = TypeAdapter(Study).validate_python(values)
    except ValidationError as error:
        raise StudyError(_explain(error, source, text)) from None
    if not NAME.fullmatch(study.name):
        raise StudyError(f"{_where(source, text, ['name'])}: name: cannot be {study.name[:80]!r}; {NAME_RULE}")
    return StudyFile(study, budget, source, text, left_out)


def _take_program(values: dict[str, Any], directory: Path) -> tuple[str, ...]:
    """Put the program that a `[program]` table describes into the study's options; what was left out of it, in words.

    Raises StudyError.
    """
    if values.setdefault("arena", "program") != "program":
        raise StudyError(f"program: this table is for the program arena, not for {values['arena']!r}")
    values.setdefault("name", directory.resolve().name)
    program = parse_program(values.pop("program"))
    bundle, left_out = read_directory(directory, program, str(values["name"]))
    _hold_compute(values, program.compute)
    values["options"] = {**values.get("options", {}), "bundle": bundle.packed()}
    values.setdefault("researcher", {"name": "code"})
    return left_out


def _hold_compute(values: dict[str, Any], compute: str) -> None:
    """A claim about a program is one at equal compute, unless the study says otherwise; and then it is told."""
    gate, watchdog = values.setdefault("gate", {}), values.setdefault("watchdog", {})
    if not isinstance(gate, dict) or not isinstance(watchdog, dict):
        return  # said by the check of the study's types
    rails = gate.setdefault("guardrails", [])
    if isinstance(rails, list) and not any(isinstance(one, dict) and one.get("metric") == COMPUTE for one in rails):
        rails.append({"metric": COMPUTE, "margin": EQUAL if compute == "equal" else FREE})
    if compute == "equal":
        watchdog.setdefault("cost_factor", CLEARLY_DEARER)


def _budget(value: object, source: str, text: str) -> Budget:
    if value is None:
        return Budget()
    try:
        return parse_budget(str(value))
    except StudyError as error:
        raise StudyError(f"{_where(source, text, ['budget'])}: {error}") from None


def _read_shares(values: dict[str, Any], source: str, text: str) -> None:
    """Budgets within the lab's, and amounts of policies, are written as budgets are: put numbers for the words."""
    shares, policy = values.get("budgets"), values.get("policy")
    places: list[tuple[object, str, str]] = [(shares, "hypothesis", "budgets")]
    rows = shares.get("researchers") if isinstance(shares, dict) else None
    places += [(row, "budget", "budgets.researchers") for row in (rows if isinstance(rows, list) else [])]
    rules = policy.get("rules") if isinstance(policy, dict) else None
    places += [(row, "over", "policy.rules") for row in (rules if isinstance(rules, list) else [])]
    for table, key, path in places:
        if isinstance(table, dict) and isinstance(table.get(key), str):
            try:
                table[key] = plain(parse_budget(table[key]))
            except StudyError as error:
                raise StudyError(f"{_where(source, text, [*path.split('.'), key])}: {path}.{key}: {error}") from None


def _explain(error: ValidationError, source: str, text: str) -> str:
    """The first problem in one line."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"] if part not in _TAGS and not isinstance(part, int)]
    where = _where(source, text, path)
    key = ".".join(path)
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{where}: {key}: unknown key; allowed here: {', '.join(_allowed(path[:-1]))}"
    if first["type"] in ("missing", "missing_argument"):
        return f"{source}: the key {key!r} is missing; a study needs at least name and arena"
    return f"{where}: {key}: {first['msg'][0].lower()}{first['msg'][1:]} (got {first['input']!r})"


def _allowed(path: list[str]) -> list[str]:
    """Keys of the table at `path`."""
    table: Any = Study
    for part in path:
        table = typing.get_type_hints(table).get(part, Study)
        table = next(iter(typing.get_args(table)), table) if typing.get_origin(table) is tuple else table
    names = [field.name for field in dataclasses.fields(table)] if dataclasses.is_dataclass(table) else []
    return names if path else ["budget", *names]


def _where(source: str, text: str, path: list[str]) -> str:
    """The source, and the line on which the key at `path` (or its table) stands."""
    table, found = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?([^\[\]]+)\]", line):
            table = header[1].strip()
            if table == ".".join(path):
                found = found or number
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            full = [*(table.split(".") if table else []), *key[1].strip("\"'").split(".")]
            if full == path:
                return f"{source} line {number}"
    return f"{source} line {found}" if found else source
