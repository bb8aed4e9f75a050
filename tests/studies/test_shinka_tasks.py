"""Tasks of ShinkaEvolve become studies that run without its package, or end in one clear line."""

from __future__ import annotations

import pytest
from tests.support.imported_tasks import score, written

from novum.core.model.errors import StudyError
from novum.integrations.importers.shinka import import_shinka
from novum.studies.load import load_study

PROGRAM = "# EVOLVE-BLOCK-START\nSIZE = 3\n# EVOLVE-BLOCK-END\ndef run(seed):\n    return SIZE + seed % 2\n"
HEAD = "from shinka.core import run_shinka_eval\n"
EVALUATE = """
def main(program_path, results_dir):
    run_shinka_eval(
        program_path=program_path, results_dir=results_dir, experiment_fn_name="run", num_runs=2, run_workers=4,
        validate_fn=lambda value: (value < LIMIT, f"{value} is too large"),
        aggregate_metrics_fn=lambda values: {"combined_score": sum(values) / len(values), "public": {"n": len(values)}},
    )
"""
BY_HAND = """import json, os
from pathlib import Path
def main(program_path: str, results_dir: str):
    os.makedirs(results_dir, exist_ok=True)
    value = len(Path(program_path).read_text())
    Path(results_dir, "correct.json").write_text(json.dumps({"correct": True, "error": ""}))
    Path(results_dir, "metrics.json").write_text(json.dumps({"combined_score": value, "private": {}}))
"""


def test_a_task_runs_with_the_stand_in(tmp_path):
    files = {
        "initial.py": PROGRAM,
        "evaluate.py": HEAD + "LIMIT = 9\n" + EVALUATE,
        "run_evo.py": 'LocalJobConfig(eval_program_path="evaluate.py", time="00:01:30")\n',
    }
    done = import_shinka(written(tmp_path / "task", files), tmp_path / "study")
    assert score(done.directory)[1] == 3.5  # two seeds, one of them odd
    assert load_study(str(done.directory)).study.limits.seconds == 90
    assert any("stand-in for run_shinka_eval" in note for note in done.notes)


def test_an_incorrect_program_is_a_failed_trial(tmp_path):
    files = {"initial.py": PROGRAM, "evaluate.py": HEAD + "LIMIT = 4\n" + EVALUATE}
    done = import_shinka(written(tmp_path / "task", files), tmp_path / "study")
    with pytest.raises(Exception, match="calls the program incorrect: Validation failed: 4 is too large"):
        score(done.directory)


def test_a_task_in_another_language_needs_no_package(tmp_path):
    files = {"initial.jl": "x = 1\n", "evaluate.py": BY_HAND}
    done = import_shinka(written(tmp_path / "task", files), tmp_path / "study")
    assert score(done.directory)[1] == 6
    assert any("a guess: no job's time was found" in note for note in done.notes)
    assert any("initial.jl is no Python" in note for note in done.notes)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"initial.py": ""}, "there is no evaluate.py"),
        ({"evaluate.py": BY_HAND}, r"there is no initial\.\*"),
        (
            {"initial.py": "", "evaluate.py": "def evaluate(path): ...\n"},
            r"has no function main\(program_path, results_",
        ),
        (
            {"initial.py": "", "evaluate.py": f"from shinka.llm import Client\n{BY_HAND}"},
            "Client from shinka.llm: of the",
        ),
        (
            {"initial.py": "", "evaluate.py": f"{BY_HAND}raise OSError('no gpu')\n"},
            "cannot be imported: OSError: no gpu",
        ),
        ({"initial.py": "", "evaluate.py": f"import absent_package\n{BY_HAND}"}, "pip install absent_package"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path, files, words):
    with pytest.raises(StudyError, match=words) as said:
        import_shinka(written(tmp_path / "task", files), tmp_path / "study")
    assert "\n" not in str(said.value)
    assert not (tmp_path / "study").exists()
