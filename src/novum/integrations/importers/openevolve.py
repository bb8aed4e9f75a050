"""OpenEvolve's layout: `initial_program.py`, `evaluator.py` with `evaluate(program_path)`, and `config.yaml`."""

from __future__ import annotations

import re
from pathlib import Path

from novum.integrations.importers.import_files import Imported, copied, helper, name_of, study_file

HARNESS = "novum_evaluate.py"
_TIMEOUT = re.compile(r"^evaluator:.*?^\s+timeout:\s*(\d+)", re.MULTILINE | re.DOTALL)
_MODULES = re.compile(r"^\s*(?:import|from)\s+(numpy|scipy|sklearn|torch|pandas)\b", re.MULTILINE)


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
    config = target / "config.yaml"
    limit = _TIMEOUT.search(config.read_text(errors="replace")) if config.is_file() else None
    if config.is_file():
        taken = "the evaluator's timeout was taken over" if limit else "it names no timeout of the evaluator"
        notes.append(f"config.yaml: {taken}; settings of models, prompts and the database were not")
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
        "packages": sorted(set(_MODULES.findall(text))),
    }
    question = "Which change to the program raises the combined score of its evaluator?"
    seconds = float(limit[1]) if limit else 60.0
    (target / "study.toml").write_text(study_file(name_of(source), question, program, {"seconds": seconds}))
    return Imported(target, tuple(notes))
