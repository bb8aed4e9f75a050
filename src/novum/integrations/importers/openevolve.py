"""OpenEvolve's layout: `initial_program.py`, `evaluator.py` with `evaluate(program_path)`, and `config.yaml`."""

from __future__ import annotations

from pathlib import Path

import yaml

from novum.integrations.importers.import_files import (
    Imported,
    copied,
    helper,
    imported_modules,
    name_of,
    positive_number,
    study_file,
)

HARNESS = "novum_evaluate.py"
SECONDS = 60.0
"""Of a trial, where the configuration says nothing of it."""


def import_openevolve(source: Path, target: Path) -> Imported:
    """Write the study. Raises StudyError."""
    copied(source, target, ("initial_program.py", "evaluator.py"))
    (target / HARNESS).write_text(helper(HARNESS))
    notes = [
        "evaluator.py imports the candidate, so they share a process: scores are 'reported by the candidate itself'; "
        "let it write an output and score that with a script of its own to have them scored outside",
        "randomness is seeded from {seed} in random and numpy before evaluate() is called",
    ]
    text = "".join((target / name).read_text(errors="replace") for name in ("initial_program.py", "evaluator.py"))
    limits, said = _limits(target)
    notes += said
    if "def evaluate_stage1" in text:
        notes.append("the stages of a cascade are not used: evaluate() is called for every trial")
    program = {
        "metric": "combined_score",
        "higher_is_better": True,
        "resolution": 0.0001,
        "editable": ["initial_program.py"],
        "command": ["python", HARNESS, "{seed}"],
        "outputs": [{"name": "metrics.json"}],
        "report": {"file": "metrics.json", "key": "combined_score"},
        "packages": imported_modules(target, ("initial_program.py", "evaluator.py"), but=("openevolve",)),
    }
    question = "Which change to the program raises the combined score of its evaluator?"
    (target / "study.toml").write_text(study_file(name_of(source), question, program, limits))
    return Imported(target, tuple(notes))


def _limits(directory: Path) -> tuple[dict[str, object], list[str]]:
    """Limits of a trial as the task's configuration has them, and what was taken over, in words."""
    limits: dict[str, object] = {"seconds": SECONDS}
    config = next((one for name in ("config.yaml", "config.yml") if (one := directory / name).is_file()), None)
    if config is None:
        return limits, []
    try:
        found = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        return limits, [f"{config.name}{where}: no readable YAML, so nothing of it was taken over"]
    evaluator = found.get("evaluator") if isinstance(found, dict) else None
    evaluator = evaluator if isinstance(evaluator, dict) else {}
    taken = []
    if seconds := positive_number(evaluator.get("timeout")):
        limits["seconds"] = seconds
        taken.append(f"evaluator.timeout ({seconds:g} s)")
    if megabytes := positive_number(evaluator.get("memory_limit_mb")):
        limits["memory_bytes"] = int(megabytes * (1 << 20))
        taken.append(f"evaluator.memory_limit_mb ({megabytes:g})")
    unread = [name for name in ("timeout", "memory_limit_mb") if evaluator.get(name) is not None]
    unread = [name for name in unread if not positive_number(evaluator[name])]
    notes = [
        f"{config.name}: {' and '.join(taken) or 'nothing'} was taken over; models, prompts and the database were not"
    ]
    notes += [f"{config.name}: evaluator.{name} is {evaluator[name]!r}, which is no limit" for name in unread]
    if "seconds" in limits and not positive_number(evaluator.get("timeout")):
        notes.append(f"a trial may take {SECONDS:g} s (limits.seconds), as the task names no timeout")
    return limits, notes
