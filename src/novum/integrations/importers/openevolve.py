"""OpenEvolve's layout: `initial_program.*`, `evaluator.py` with `evaluate(program_path)`, and `config.yaml`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from novum.core.model.errors import StudyError
from novum.integrations.importers.import_check import check_loads
from novum.integrations.importers.import_files import (
    Imported,
    combined_score,
    copied,
    helper,
    name_of,
    said_of_language,
    study_file,
)
from novum.integrations.importers.openevolve_config import TaskConfig, read_config
from novum.integrations.importers.required_modules import modules_of, packages_of
from novum.integrations.importers.started_tools import missing_tools

HARNESS = "novum_evaluate.py"
_STEMS = ("initial_program", "init_program", "initial_prompt", "initial_content", "initial", "program", "solution")
_EVALUATORS = ("evaluator", "evaluate", "eval")
_STAGES = ("evaluate_stage1", "evaluate_stage2", "evaluate_stage3")
_QUESTION = 300


def import_openevolve(source: Path, target: Path, program: str = "", config: str = "") -> Imported:
    """Write the study. program, config: files of the task, where there are several. Raises StudyError."""
    with copied(source, target, skipped=("openevolve_output",)):
        told = read_config(target, config)
        start = initial_program(target, program, told.suffix)
        evaluator, functions = _evaluator(target)
        modules = [evaluator, *([start] if start.endswith(".py") else [])]
        packages, missed = packages_of(target, modules, but=("openevolve",))
        staged = told.thresholds is not None and _STAGES[0] in functions
        (target / HARNESS).write_text(
            helper(
                HARNESS, program=repr(start), evaluator=repr(evaluator[:-3]), features=told.features,
                thresholds=told.thresholds if staged else None,
            )
        )  # fmt: skip
        stages = [name for name in _STAGES if name in functions] if staged else []
        limits: dict[str, object] = {"seconds": told.seconds * max(1, len(stages))}
        if told.memory_bytes:
            limits["memory_bytes"] = told.memory_bytes
        table = combined_score(start, HARNESS, packages)
        words = _shortened(told.task)
        question = f"Which change to {start} raises the combined score of its evaluator? {words}".strip()
        (target / "study.toml").write_text(study_file(name_of(source), question, table, limits))
        notes = [*_said_of_score(target, evaluator, functions, told, stages), *_said_of_program(evaluator)]
        notes += said_of_language(start, missing_tools(modules_of(target, modules).files))
        tried = check_loads(target, source, HARNESS)
    return Imported(target, (*notes, *told.notes, *missed, *tried))


def initial_program(directory: Path, named: str, suffix: str = "", stems: Iterable[str] = _STEMS) -> str:
    """The name of the file that may change: the named one, or the one that is called as such files are.

    Raises StudyError where there is none, or more than one.
    """
    if named:
        if not (directory / named).is_file():
            raise StudyError(f"--program {named}: there is no such file in the task's directory")
        return named
    files = sorted(one for one in directory.iterdir() if one.is_file() and one.suffix and not one.name.startswith("."))
    for stem in stems:
        found = [one.name for one in files if one.stem == stem]
        found = [one for one in found if suffix and one.endswith(suffix)] or found
        if len(found) > 1:
            raise StudyError(f"there are {', '.join(found)}: --program FILE says which one may change")
        if found:
            return found[0]
    marked = [one.name for one in files if "EVOLVE-BLOCK-START" in one.read_text(errors="replace")]
    if len(marked) != 1:
        more = f"; EVOLVE-BLOCK-START is in {', '.join(marked)}" if marked else ""
        wanted = next(iter(stems))
        raise StudyError(f"there is no {wanted}.*, which this layout has{more}: --program FILE says what may change")
    return marked[0]


def _evaluator(directory: Path) -> tuple[str, frozenset[str]]:
    """The evaluator's file and the names at its top. Raises StudyError."""
    for stem in _EVALUATORS:
        file = directory / f"{stem}.py"
        if file.is_file():
            names = _names(file)
            if "evaluate" not in names and "*" not in names:
                raise StudyError(f"{file.name} has no function evaluate(program_path), which OpenEvolve calls: add it")
            return file.name, names
    raise StudyError("there is no evaluator.py, which this layout has")


def _names(file: Path) -> frozenset[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8", errors="replace"))
    except SyntaxError as error:
        raise StudyError(f"{file.name} line {error.lineno} is no Python: {error.msg}: mend it") from None
    except (ValueError, RecursionError) as error:
        raise StudyError(f"{file.name} is no Python: {error}: mend it") from None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _QUESTION else f"{words[:_QUESTION].rpartition(' ')[0]} ..."


def _said_of_score(
    directory: Path, evaluator: str, functions: frozenset[str], told: TaskConfig, stages: list[str]
) -> list[str]:
    texts = (one.read_text(errors="replace") for one in directory.rglob("*.py") if one.name != HARNESS)
    mean = f"the mean of the numeric metrics but {', '.join(told.features) or 'none'} (feature dimensions)"
    if any("combined_score" in text for text in texts):
        notes = [f"the score is combined_score; where {evaluator} gives none, {mean}, as in OpenEvolve"]
    else:
        notes = [f"{evaluator} names no combined_score: the score is {mean}, as in OpenEvolve"]
    if stages:
        passed = ", ".join(f"{one:g}" for one in (told.thresholds or ())[: len(stages) - 1])
        notes.append(
            f"a trial is the cascade {', '.join(stages)} with thresholds {passed or 'none'}: a program that fails at "
            "one keeps the score of the stages before; evaluate() is not called, as in OpenEvolve; each stage may take "
            f"{told.seconds:g} s"
        )
    elif _STAGES[0] in functions:
        notes.append("the stages of the cascade are not used: evaluate() is called for every trial")
    notes.append("an evaluator that raises, or reports an error in words, makes a failed trial and no score of 0")
    return notes


def _said_of_program(evaluator: str) -> list[str]:
    return [
        f"{evaluator} loads the candidate, so they share a process: scores are 'reported by the candidate itself'; "
        "let it write an output and score that with a script of its own to have them scored outside",
        "randomness is seeded from {seed} in random, numpy and torch before the evaluator is called",
        "artifacts are shown to whoever proposes, cut to 500 characters each",
    ]
