"""The configuration of an OpenEvolve task: what of it a study takes over, with OpenEvolve's own defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from novum.core.model.errors import StudyError
from novum.integrations.importers.import_files import positive_number

SECONDS = 300.0
THRESHOLDS = (0.5, 0.75, 0.9)
FEATURES = ("complexity", "diversity")
_EVALUATOR = ("timeout", "memory_limit_mb", "cascade_evaluation", "cascade_thresholds")
_IN_PART = {"database": "feature_dimensions", "prompt": "system_message"}


@dataclass(frozen=True)
class TaskConfig:
    """What is taken over. thresholds: None where stages of a cascade are not to be used."""

    seconds: float = SECONDS
    memory_bytes: int = 0
    thresholds: tuple[float, ...] | None = THRESHOLDS
    features: tuple[str, ...] = FEATURES
    suffix: str = ""
    task: str = ""
    notes: tuple[str, ...] = ()


def read_config(directory: Path, named: str = "") -> TaskConfig:
    """The configuration in a directory, the named one or the first of its kind. Raises StudyError for a wrong name."""
    if named and not (directory / named).is_file():
        raise StudyError(f"--config {named}: there is no such file in the task's directory")
    usual = [directory / name for name in ("config.yaml", "config.yml")]
    others = sorted(one for ending in ("yaml", "yml") for one in directory.glob(f"config*.{ending}"))
    found = [directory / named] if named else [one for one in dict.fromkeys([*usual, *others]) if one.is_file()]
    if not found:
        return TaskConfig(
            notes=(f"a trial may take {SECONDS:g} s (limits.seconds), OpenEvolve's default: no config.yaml",)
        )
    config = found[0]
    more = [one.name for one in found[1:]]
    notes = [f"{config.name} is used, {', '.join(more)} not: --config FILE chooses another"] if more else []
    try:
        values = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        said = f"{config.name}{where}: no readable YAML, so nothing of it was taken over"
        return TaskConfig(notes=(*notes, said, f"a trial may take {SECONDS:g} s (limits.seconds)"))
    return _taken(config.name, values if isinstance(values, dict) else {}, notes)


def _taken(name: str, values: dict[str, Any], notes: list[str]) -> TaskConfig:
    evaluator, database, prompt = (_table(values, key) for key in ("evaluator", "database", "prompt"))
    taken, problems = [], []
    seconds, megabytes = positive_number(evaluator.get("timeout")), positive_number(evaluator.get("memory_limit_mb"))
    if seconds:
        taken.append(f"evaluator.timeout ({seconds:g} s)")
    if megabytes:
        taken.append(f"evaluator.memory_limit_mb ({megabytes:g})")
    for key, number in (("timeout", seconds), ("memory_limit_mb", megabytes)):
        if evaluator.get(key) is not None and not number:
            problems.append(f"{name}: evaluator.{key} is {evaluator[key]!r}, which is no limit")
    thresholds = _thresholds(evaluator, name, taken, problems)
    features: tuple[str, ...] = FEATURES
    if isinstance(said := database.get("feature_dimensions"), list):
        features = tuple(map(str, said))
        taken.append("database.feature_dimensions")
    if task := prompt.get("system_message"):
        taken.append("the beginning of prompt.system_message (in the question)")
    notes = [*notes, f"{name}: taken over: {', '.join(taken) or 'nothing'}"]
    if ignored := _ignored(values):
        notes.append(f"{name}: not used: {', '.join(ignored)} (--budget says how long, seeds are Novum's)")
    if evaluator.get("use_llm_feedback") is True:
        problems.append(f"{name}: evaluator.use_llm_feedback is on: a model's marks are no part of the score here")
    if not seconds:
        problems.append(f"a trial may take {SECONDS:g} s (limits.seconds), OpenEvolve's default: no timeout is named")
    return TaskConfig(
        seconds or SECONDS,
        int((megabytes or 0) * (1 << 20)),
        thresholds,
        features,
        str(values.get("file_suffix") or ""),
        str(task or ""),
        (*notes, *problems),
    )


def _thresholds(
    evaluator: Mapping[str, Any], name: str, taken: list[str], problems: list[str]
) -> tuple[float, ...] | None:
    if evaluator.get("cascade_evaluation") is False:
        taken.append("evaluator.cascade_evaluation (off)")
        return None
    said = evaluator.get("cascade_thresholds")
    if said is None:
        return THRESHOLDS
    try:
        found = tuple(float(one) for one in said)
    except (TypeError, ValueError):
        problems.append(f"{name}: evaluator.cascade_thresholds is {said!r}: OpenEvolve's default is used instead")
        return THRESHOLDS
    taken.append(f"evaluator.cascade_thresholds ({', '.join(f'{one:g}' for one in found)})")
    return found


def _table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _ignored(values: Mapping[str, Any]) -> list[str]:
    """Keys that mean nothing to a study; of the evaluator's table each, of others that are used in part the rest."""
    found = []
    for key, value in values.items():
        if key == "evaluator" and isinstance(value, dict):
            found += [f"evaluator.{name}" for name in value if name not in _EVALUATOR]
        elif (used := _IN_PART.get(key)) and isinstance(value, dict) and used in value:
            found += [f"the rest of {key}"] if len(value) > 1 else []
        elif key != "file_suffix":
            found.append(str(key))
    return found
