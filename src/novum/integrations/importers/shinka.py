"""ShinkaEvolve's layout: `initial.*`, and `evaluate.py` with `main(program_path, results_dir)`."""

from __future__ import annotations

import ast
import re
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
from novum.integrations.importers.openevolve import initial_program
from novum.integrations.importers.required_modules import modules_of, packages_of
from novum.integrations.importers.started_tools import missing_tools

HARNESS = "novum_shinka_evaluate.py"
SECONDS = 300.0
_THERE = {
    "shinka.core": ("run_shinka_eval",),
    "shinka.core.wrap_eval": ("run_shinka_eval", "load_program", "save_json_results"),
}
_TIME = re.compile(r"""\btime\s*[=:]\s*["']?(\d+):(\d\d):(\d\d)\b""")


def import_shinka(source: Path, target: Path, program: str = "") -> Imported:
    """Write the study. program: the file that may change, where it is not called initial. Raises StudyError."""
    with copied(source, target, ("evaluate.py",), skipped=("results", "results_*")):
        if (target / "shinka").exists() or (target / "shinka.py").exists():
            raise StudyError(
                "there is a module of its own called shinka, which Novum would have to put there: rename it"
            )
        start = initial_program(target, program, stems=("initial", "initial_program", "init"))
        uses = _uses((target / "evaluate.py").read_text(encoding="utf-8", errors="replace"))
        modules = ["evaluate.py", *([start] if start.endswith(".py") else [])]
        packages, missed = packages_of(target, modules, but=("shinka", "shinka-evolve"))
        (target / HARNESS).write_text(helper(HARNESS, program=repr(start)))
        _write_stand_in(target)
        seconds, place = _seconds(target)
        table = combined_score(start, HARNESS, packages)
        question = f"Which change to {start} raises the combined score of its evaluation?"
        (target / "study.toml").write_text(study_file(name_of(source), question, table, {"seconds": seconds}))
        notes = [
            *_notes(uses, seconds, place),
            *said_of_language(start, missing_tools(modules_of(target, modules).files)),
        ]
        tried = check_loads(target, source, HARNESS)
    return Imported(target, (*notes, *missed, *tried))


def _uses(text: str) -> bool:
    """Whether evaluate.py uses the package shinka. Raises StudyError where it wants what there is no stand-in for."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise StudyError(f"evaluate.py is no Python: {error}: mend it") from None
    if "main" not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}:
        raise StudyError(
            "evaluate.py has no function main(program_path, results_dir), which ShinkaEvolve calls: add it"
        )
    found = False
    for node in ast.walk(tree):
        asked = [(one.name, "") for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            asked = [(str(node.module), one.name) for one in node.names]
        for module, name in asked:
            if module.partition(".")[0] != "shinka":
                continue
            found = True
            if name not in (*_THERE.get(module, ()), *([""] if module in _THERE else [])):
                raise StudyError(
                    f"evaluate.py imports {f'{name} from {module}' if name else module}: of the package shinka only "
                    "run_shinka_eval can be replaced here; write that part into the task"
                )
    return found


def _write_stand_in(target: Path) -> None:
    """The package whose one function evaluate.py calls; it is put there even if it is not used, for one harness."""
    folder = target / "shinka" / "core"
    folder.mkdir(parents=True)
    (target / "shinka" / "__init__.py").write_text("")
    (folder / "__init__.py").write_text(helper("shinka_core.py"))
    (folder / "wrap_eval.py").write_text("from shinka.core import load_program, run_shinka_eval, save_json_results\n")


def _seconds(target: Path) -> tuple[float, str]:
    """The time of a job and where it was found; the place is empty for a guess."""
    for file in sorted([*target.glob("run*.py"), *target.glob("*.yaml"), *target.glob("*.yml")]):
        if found := _TIME.search(file.read_text(errors="replace")):
            hours, minutes, seconds = map(int, found.groups())
            if total := hours * 3600 + minutes * 60 + seconds:
                return float(total), file.name
    return SECONDS, ""


def _notes(uses: bool, seconds: float, place: str) -> list[str]:
    notes = [
        "the score is combined_score of metrics.json; a program that correct.json calls incorrect is a failed trial",
        "evaluate.py loads the candidate, so they share a process: scores are 'reported by the candidate itself'",
        f"a trial may take {seconds:g} s (limits.seconds), "
        + (f"the time of a job in {place}" if place else "a guess: no job's time was found"),
        "models, prompts, islands and the numbers of generations were not taken over; text_feedback is not shown",
    ]
    if uses:
        notes.append(
            "shinka/ is a stand-in for run_shinka_eval: runs follow one another, without early stopping or plots, and "
            "where the task names no arguments their seeds come from {seed}"
        )
    return notes
