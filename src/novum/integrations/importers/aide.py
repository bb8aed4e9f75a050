"""AIDE's layout: data with a `train.csv` (and `sample_submission.csv`), a goal and an evaluation, in words."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import yaml

from novum.core.model.errors import StudyError
from novum.integrations.importers.import_files import Imported, copied, helper, name_of, study_file

_GOALS = ("goal.txt", "goal.md", "description.md", "task_description.md", "README.md")
_EVALS = ("eval.txt", "eval.md", "evaluation.md")
_METRICS = (
    (
        "rmsle",
        r"rmsle|root[- ]mean[- ]squared?[- ]log|(?:rmse|root[- ]mean[- ]squared?)\b.{0,120}?\blog(?:arithm|s\b|-|\b)",
        False,
    ),
    ("rmse", r"rmse|root[- ]mean[- ]squared?[- ](?:error|deviation)|\brms\b", False),
    ("mse", r"\bmse\b|mean[- ]squared?[- ]error", False),
    ("mae", r"\bmae\b|mean[- ]absolute[- ]error", False),
    ("r2", r"\br2\b|\br\^2|r²|r-squared|coefficient of determination", True),
    ("logloss", r"log[ -]?loss|cross[ -]?entropy", False),
    ("auc", r"\b(?:roc[- _]?)?auc\b|\bauroc\b|area under", True),
    ("f1", r"\bf1\b|\bf-1\b", True),
    ("accuracy", r"accuracy", True),
)
_OF_TWO = ("logloss", "auc")
_OF_NUMBERS = ("rmsle", "rmse", "mse", "mae", "r2")


def import_aide(source: Path, target: Path, goal: str = "", evaluation: str = "", column: str = "") -> Imported:
    """Write the study. goal, evaluation, column: what AIDE is told on its command line, and what is predicted.

    Raises StudyError.
    """
    data = source / "data" if (source / "data").is_dir() else source
    train = _train(source, data)
    words = goal or _said(source, data, _GOALS, "goal")
    judged = evaluation or _said(source, data, _EVALS, "eval") or _section(words)
    metric, higher, also = _metric(judged or words, source)
    predicted, why = _target(train, words, column)
    _check_column(train, predicted, metric)
    with copied(source, target, skipped=("logs", "workspaces")):
        replaced = {"target": predicted, "train": train.relative_to(source).as_posix(), "metric": metric}
        for name, place in (("aide_solution.py", "solution.py"), ("aide_prepare.py", ""), ("aide_score.py", "")):
            (target / (place or name)).write_text(helper(name, **replaced))
        program = _program(metric, higher, "data/" if data != source else "*.csv")
        question = next(iter(_plain_lines(words)), f"Which program predicts {predicted} best?")[:200]
        (target / "study.toml").write_text(study_file(name_of(source), question, program, {"seconds": 120.0}))
    place = "--eval" if evaluation else "what was said of the evaluation" if judged else "the goal"
    notes = (
        f"the target is {predicted!r}, {why}: --target COLUMN names another",
        f"the metric is {metric} ({'higher' if higher else 'lower'} is better), read from {place}"
        + (f", which names {' and '.join(also)} too" if also else "")
        + ": --eval METRIC names another"
        + ("; logarithms are of 1 + value" if metric == "rmsle" else ""),
        f"each seed holds out a fifth of {train.name}, a guess: rows drawn at random, without regard to time or groups",
        "a candidate sees input/train.csv and input/test.csv and writes submission.csv, a row each; it is scored "
        "outside",
        "test.csv has no labels and is not used; solution.py is a baseline of Novum's (nearest rows)",
    )
    return Imported(target, notes)


def _train(source: Path, data: Path) -> Path:
    """The rows to learn from. Raises StudyError where there are none."""
    tables = sorted(data.glob("*.csv")) if data.is_dir() else []
    if (data / "train.csv") in tables:
        return data / "train.csv"
    if len(tables) != 1:
        raise StudyError(f"{source}: there is no train.csv, nor data/train.csv, which this layout has")
    return tables[0]


def _program(metric: str, higher: bool, hidden: str) -> dict[str, object]:
    return {
        "metric": metric,
        "higher_is_better": higher,
        "resolution": 0.0005,
        "editable": ["solution.py"],
        "command": ["python", "solution.py", "{seed}"],
        "outputs": [{"name": "submission.csv"}],
        "hidden": [hidden],
        "prepare": ["python", "aide_prepare.py", "{seed}"],
        "visible": ["input/train.csv", "input/test.csv"],
        "truth": ["truth.csv"],
        "score": ["python", "aide_score.py"],
        "packages": ["numpy"],
    }


def _said(source: Path, data: Path, names: tuple[str, ...], key: str) -> str:
    """The text of the first of some files, or of a key of the task's configuration; empty where there is neither."""
    beside = source.resolve().with_name(f"{source.resolve().name}.md")
    for file in [*(folder / name for name in names for folder in (source, data)), *([beside] if key == "goal" else [])]:
        if file.is_file():
            return file.read_text(errors="replace")
    for file in (source / "config.yaml", source / "config.yml"):
        try:
            values = yaml.safe_load(file.read_text()) if file.is_file() else None
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            raise StudyError(f"{file}: no readable YAML: mend it, or say it with --{key}") from None
        if isinstance(values, dict) and values.get(key):
            return str(values[key])
    return ""


def _section(words: str) -> str:
    """What a description says below a heading with evaluation or metric in it."""
    found = re.search(r"^#+[^\n]*(?:evaluation|metric)[^\n]*\n(.*?)(?=^#|\Z)", words, re.IGNORECASE | re.M | re.S)
    return found[1] if found else ""


def _plain_lines(words: str) -> list[str]:
    return [one.strip() for one in words.splitlines() if one.strip() and not one.startswith("#")]


def _metric(text: str, source: Path) -> tuple[str, bool, tuple[str, ...]]:
    """The metric that is named first in the list, whether higher is better, and others that are named."""
    found, rest = [], text
    for name, pattern, higher in _METRICS:
        if re.search(pattern, rest, re.IGNORECASE | re.S):
            found.append((name, higher))
            rest = re.sub(pattern, " ", rest, flags=re.IGNORECASE | re.S)
    if not found:
        known = ", ".join(name for name, _, _ in _METRICS)
        raise StudyError(f"{source}: no metric is named that can be scored here: say --eval with one of {known}")
    return *found[0], tuple(name for name, _ in found[1:])


def _target(table: Path, words: str, named: str) -> tuple[str, str]:
    """The column to predict, and how it is known. Raises StudyError where it would be a guess among several."""
    train = _header(table)
    sample, test = (_header(table.with_name(f"{name}.csv")) for name in ("sample_submission", "test"))
    if named:
        if named not in train:
            raise StudyError(f"--target {named}: {table.name} has no such column; it has {', '.join(train[:20])}")
        return named, "as --target says"
    absent = [name for name in train if name not in test] if test else []
    wanted = [name for name in sample[1:] if name in train and (not test or name in absent)]
    if len(wanted) == 1:
        return wanted[0], "which sample_submission.csv asks for"
    if not wanted and len(absent) == 1:
        return absent[0], f"the one column of {table.name} that test.csv lacks"
    among = wanted or absent or train
    spoken = [name for name in among if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)]
    if len(spoken) == 1:
        return spoken[0], "the one such column that the goal names"
    if not spoken and "target" in among:
        return "target", "by its name, a guess"
    raise StudyError(
        f"{table}: nothing says which of its columns is to be predicted: say --target with one of "
        f"{', '.join((spoken or among)[:20])}"
    )


def _check_column(train: Path, column: str, metric: str) -> None:
    """Raises StudyError for values that the metric is not of."""
    with train.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        values = {str(row.get(column) or "").strip() for row in csv.DictReader(file)}
    if metric in _OF_TWO and len(values) != 2:
        raise StudyError(
            f"{train}: {metric} is of two classes here, and {column!r} has {len(values)} values: say another --eval"
        )
    if (
        metric in _OF_NUMBERS
        and (wrong := next((one for one in sorted(values) if not _is_number(one)), None)) is not None
    ):
        raise StudyError(f"{train}: {metric} is of numbers, and {column!r} has {wrong[:40]!r}: say another --eval")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _header(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), [])
