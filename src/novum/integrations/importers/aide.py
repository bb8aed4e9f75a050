"""AIDE's layout: data with a `train.csv` (and `sample_submission.csv`), a goal and an evaluation, in words."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from novum.core.model.errors import StudyError
from novum.integrations.importers.import_files import Imported, copied, helper, name_of, study_file

_GOALS = ("goal.txt", "goal.md", "description.md", "task_description.md", "README.md")
_EVALS = ("eval.txt", "eval.md", "evaluation.md")
_METRICS = (
    ("rmsle", r"rmsle|root mean squared log", False),
    ("rmse", r"rmse|root mean squared? error|\brms\b", False),
    ("mae", r"\bmae\b|mean absolute", False),
    ("logloss", r"log[ -]?loss|cross[ -]?entropy", False),
    ("auc", r"\bauc\b|area under", True),
    ("f1", r"\bf1\b", True),
    ("accuracy", r"accuracy|classification error", True),
)


def import_aide(source: Path, target: Path) -> Imported:
    """Write the study. Raises StudyError."""
    data = source / "data" if (source / "data").is_dir() else source
    train = data / "train.csv"
    if not train.is_file():
        raise StudyError(f"{source}: there is no train.csv, nor data/train.csv, which this layout has")
    words, evaluation = _first(source, data, _GOALS), _first(source, data, _EVALS)
    metric, higher = _metric(evaluation or words, source)
    target_column = _target(data)
    copied(source, target, ())
    (target / "solution.py").write_text(helper("aide_solution.py").replace("@TARGET@", target_column))
    replaced = {"@TARGET@": target_column, "@TRAIN@": train.relative_to(source).as_posix(), "@METRIC@": metric}
    for name in ("aide_prepare.py", "aide_score.py"):
        text = helper(name)
        for mark, value in replaced.items():
            text = text.replace(mark, value)
        (target / name).write_text(text)
    program = {
        "metric": metric,
        "higher_is_better": higher,
        "resolution": 0.0005,
        "editable": ["solution.py"],
        "command": ["python", "solution.py", "{seed}"],
        "outputs": [{"name": "submission.csv"}],
        "hidden": ["data/"] if data != source else ["*.csv"],
        "prepare": ["python", "aide_prepare.py", "{seed}"],
        "visible": ["input/train.csv", "input/test.csv"],
        "truth": ["truth.csv"],
        "score": ["python", "aide_score.py"],
        "packages": ["numpy"],
    }
    question = (words or f"Which program predicts {target_column} best?").strip().splitlines()[0][:200]
    (target / "study.toml").write_text(study_file(name_of(source), question, program, {"seconds": 120.0}))
    return Imported(
        target,
        (
            f"the target is {target_column!r}, the metric {metric} ({'higher' if higher else 'lower'} is better), read "
            f"from the {'evaluation' if evaluation else 'goal'}: mend study.toml and aide_score.py if that is wrong",
            "each seed holds out a fifth of train.csv; a candidate sees input/train.csv and input/test.csv and writes "
            "submission.csv, a row each; it is scored outside",
            "test.csv of the task has no labels and is not used; solution.py is a baseline of Novum's (nearest rows)",
        ),
    )


def _first(source: Path, data: Path, names: tuple[str, ...]) -> str:
    for name in names:
        for folder in (source, data):
            if (folder / name).is_file():
                return (folder / name).read_text(errors="replace")
    return ""


def _metric(text: str, source: Path) -> tuple[str, bool]:
    for name, pattern, higher in _METRICS:
        if re.search(pattern, text, re.IGNORECASE):
            return name, higher
    known = ", ".join(name for name, _, _ in _METRICS)
    raise StudyError(f"{source}: no metric is named in {', '.join(_EVALS + _GOALS)}: name one of {known}")


def _target(data: Path) -> str:
    """The column to predict. Raises StudyError when several could be it."""
    train = _header(data / "train.csv")
    sample = _header(data / "sample_submission.csv")
    test = _header(data / "test.csv")
    absent = [name for name in train if name not in test] if test else []
    wanted = [name for name in sample if name in absent or (not absent and name in train)] or absent or train[-1:]
    if len(wanted) > 1 and not sample:
        raise StudyError(f"{data}: more than one column of train.csv is not in test.csv: {', '.join(wanted[:5])}")
    return wanted[-1]


def _header(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), [])
