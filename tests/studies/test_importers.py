"""Other tools' layouts become studies that run as they are, beside the original, which stays untouched."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pytest

from novum.arenas.program import trial as worker
from novum.arenas.program.arena import OUTSIDE, REPORTED, ProgramArena
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.trial import Trial, TrialGroup
from novum.integrations.importers.aide import import_aide
from novum.integrations.importers.autoresearch import import_autoresearch
from novum.integrations.importers.openevolve import import_openevolve
from novum.lab import wiring
from novum.studies.load import load_study

EXAMPLES = Path(__file__).parents[2] / "examples"


def score(directory: Path, genome=(), seed=1) -> tuple[ProgramArena, float]:
    """The score of one trial of an imported study, run as the lab would."""
    study = load_study(str(directory)).study
    wiring.check(study)
    arena = wiring.arena(study)
    group = TrialGroup("g", Candidate(arena.space.validate(dict(genome))), (Trial("g.0", seed),), study.options)
    (output,) = worker.run(group)
    assert output.artefact, output.cause
    return arena, arena.score(group, group.trials[0], output.artefact).value


@pytest.mark.parametrize("name", ["function_minimisation", "circle_packing"])
def test_openevolve_tasks_run(tmp_path, name):
    before = {path: path.read_bytes() for path in (EXAMPLES / name).iterdir() if path.is_file()}
    done = import_openevolve(EXAMPLES / name, tmp_path / "study")
    arena, value = score(done.directory)
    assert arena.spec.trust == REPORTED
    assert any("reported by the candidate" in note for note in done.notes)
    assert value == score(done.directory)[1]
    assert 0.05 < value < 2.2
    assert {path: path.read_bytes() for path in before} == before
    text = arena.space.base["initial_program.py"]
    if name == "function_minimisation":
        changed = {"initial_program.py": text.replace("ROUNDS = 200", "ROUNDS = 900")}
        means = [sum(score(done.directory, genome, seed)[1] for seed in range(3)) for genome in ((), changed)]
        assert means[1] > means[0]


def test_an_evaluator_that_reports_an_error_is_a_crash_and_not_a_score(tmp_path):
    source = tmp_path / "task"
    source.mkdir()
    (source / "initial_program.py").write_text("X = 1\n")
    (source / "evaluator.py").write_text(
        "from openevolve.evaluation_result import EvaluationResult\n"
        "def evaluate_stage1(path): return {}\n"
        "def evaluate(path): return EvaluationResult(metrics={'speed': 2.0, 'size': 4.0}, artifacts={})\n"
    )
    done = import_openevolve(source, tmp_path / "study")
    assert any("cascade" in note for note in done.notes)
    assert score(done.directory)[1] == 3.0  # the mean of what it says, as it names no combined score
    (tmp_path / "study" / "evaluator.py").write_text("def evaluate(path): return {'combined_score': 0, 'error': 'no'}")
    with pytest.raises(Exception, match="evaluate\\(\\) reported: no"):
        score(done.directory)


def test_autoresearch_runs_with_seeds_of_novums(tmp_path):
    source = tmp_path / "auto"
    source.mkdir()
    (source / "prepare.py").write_text("TIME_BUDGET = 30\nDATA = [1.0, 2.0]\n")
    (source / "program.md").write_text("Lower val_bpb.")
    (source / "train.py").write_text(
        "import random\nfrom prepare import DATA\nrandom.seed(42)\nRATE = 0.5\n"
        "print('step 1 val_bpb: 9.0')\nprint(f'val_bpb: {RATE + random.random() + DATA[0]:.6f}')\n"
    )
    done = import_autoresearch(source, tmp_path / "study")
    arena, one = score(done.directory, seed=1)
    assert arena.spec.higher_is_better is False
    assert one != score(done.directory, seed=2)[1]
    assert one == score(done.directory, seed=1)[1]
    assert 1.5 <= one <= 2.5
    assert load_study(str(done.directory)).study.limits.seconds == 60


def write_rows(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("said", "metric", "higher"),
    [("Use accuracy.", "accuracy", True), ("Root mean squared error of y", "rmse", False), ("ROC AUC", "auc", True)],
)
def test_aide_tasks_run_and_are_scored_outside(tmp_path, said, metric, higher):
    pytest.importorskip("numpy")
    rng = random.Random(0)
    rows = [{"id": n, "a": round(rng.random(), 3), "b": rng.choice("xy")} for n in range(200)]
    truth = [{**row, "target": int(row["a"] > 0.5)} for row in rows]
    write_rows(tmp_path / "task" / "data" / "train.csv", truth)
    write_rows(tmp_path / "task" / "data" / "test.csv", rows)
    write_rows(tmp_path / "task" / "data" / "sample_submission.csv", [{"id": 1, "target": 0}])
    (tmp_path / "task" / "goal.txt").write_text("Predict the target.")
    (tmp_path / "task" / "eval.txt").write_text(said)
    done = import_aide(tmp_path / "task", tmp_path / "study")
    arena, value = score(done.directory)
    assert (arena.spec.metric, arena.spec.higher_is_better, arena.spec.trust) == (metric, higher, OUTSIDE)
    assert "data/train.csv" in arena.bundle.kept
    assert 0.0 <= value <= 1.0
    assert value != score(done.directory, seed=2)[1]


def test_what_is_missing_is_said(tmp_path):
    for layout, words in (
        (import_openevolve, r"there is no initial_program\.py"),
        (import_autoresearch, r"there is no prepare\.py"),
        (import_aide, r"there is no train\.csv"),
    ):
        with pytest.raises(StudyError, match=words):
            layout(tmp_path, tmp_path / "out")
    (tmp_path / "out").mkdir()
    with pytest.raises(StudyError, match="choose another directory"):
        import_openevolve(EXAMPLES / "circle_packing", tmp_path / "out")
    write_rows(tmp_path / "bare" / "train.csv", [{"a": 1, "b": 2}])
    with pytest.raises(StudyError, match="no metric is named"):
        import_aide(tmp_path / "bare", tmp_path / "x")


def test_scores_of_the_aide_metrics_are_right(tmp_path):
    """Against values worked out by hand."""
    import subprocess
    import sys

    from novum.integrations.importers.import_files import helper

    cases = {
        "accuracy": (["a", "b", "b"], ["a", "b", "a"], 2 / 3),
        "f1": (["0", "1", "1", "0"], ["0", "1", "0", "0"], 2 / 3),
        "rmse": (["0", "4"], ["3", "0"], 3.5355339),
        "mae": (["0", "4"], ["3", "0"], 3.5),
        "logloss": (["1", "0"], ["0.5", "0.5"], 0.6931472),
        "auc": (["1", "0", "1", "0"], ["0.9", "0.1", "0.5", "0.5"], 0.875),
        "rmsle": (["0", "0"], ["0", "1.718281828"], 0.7071068),
    }
    for name, (truth, said, value) in cases.items():
        write_rows(tmp_path / "truth.csv", [{"t": one} for one in truth])
        write_rows(tmp_path / "submission.csv", [{"t": one} for one in said])
        text = helper("aide_score.py").replace("@TARGET@", "t").replace("@METRIC@", name)
        subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
        assert json.loads((tmp_path / "score.json").read_text())["value"] == pytest.approx(value, abs=1e-6), name


VALUES = {
    "np.float32(0.5)": 0.5,
    "np.array(0.5)": 0.5,
    "np.array([0.5])": 0.5,
    "np.int64(2)": 2.0,
    "Decimal('0.25')": 0.25,
    "Fraction(1, 4)": 0.25,
    "{'combined_score': np.float64(0.75), 'note': 'x'}": 0.75,
    "{'accuracy': np.float32(0.5), 'speed': 0.25, 'valid': True, 'log': 'fine'}": 0.375,
}


def task(place: Path, result: str, config: str = "") -> Path:
    """A task of OpenEvolve's layout whose evaluator returns an expression."""
    place.mkdir()
    (place / "initial_program.py").write_text("X = 1\n")
    (place / "evaluator.py").write_text(
        "from decimal import Decimal\nfrom fractions import Fraction\nimport numpy as np\n\n"
        f"def evaluate(path):\n    return {result}\n"
    )
    if config:
        (place / "config.yaml").write_text(config)
    return place


@pytest.mark.parametrize("result", VALUES)
def test_numbers_are_numbers_whoever_made_them(tmp_path, result):
    done = import_openevolve(task(tmp_path / "task", result), tmp_path / "study")
    assert score(done.directory)[1] == VALUES[result]


@pytest.mark.parametrize(
    "result", ["{'combined_score': 'high'}", "{'combined_score': np.zeros(2)}", "{'text': 'x'}", "{}"]
)
def test_what_is_no_number_is_named(tmp_path, result):
    done = import_openevolve(task(tmp_path / "task", result), tmp_path / "study")
    with pytest.raises(Exception, match=r"evaluate\(\) returned"):
        score(done.directory)


@pytest.mark.parametrize(
    ("config", "seconds", "note"),
    [
        ("evaluator:\n  timeout: 6e1\n", 60.0, r"evaluator\.timeout \(60 s\) was taken over"),
        ("evaluator: {timeout: 120}\n", 120.0, r"\(120 s\) was taken over"),
        ("llm:\n  timeout: 7\nevaluator:\n  cascade: true\n", 60.0, "nothing was taken over"),
        ("evaluator:\n  # timeout: 5\n  timeout: 1_0\n", 10.0, r"\(10 s\)"),
        ("evaluator: &e\n  timeout: 30.5\nother: *e\n", 30.5, r"\(30\.5 s\)"),
        ("evaluator:\n  timeout: soon\n", 60.0, "'soon', which is no limit"),
        ("evaluator:\n  timeout: -5\n", 60.0, "-5, which is no limit"),
        ("evaluator: [1, 2\n", 60.0, r"config\.yaml line \d+: no readable YAML"),
    ],
)
def test_a_configuration_is_read_as_yaml_and_what_is_taken_over_is_said(tmp_path, config, seconds, note):
    done = import_openevolve(task(tmp_path / "task", "1.0", config), tmp_path / "study")
    assert load_study(str(done.directory)).study.limits.seconds == seconds
    assert any(re.search(note, one) for one in done.notes), done.notes


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("TIME_BUDGET = 5 * 60", 600.0),
        ("TIME_BUDGET: float = 3e1", 60.0),
        ("TIME_BUDGET = 1_0", 20.0),
        ("X = 1", 600.0),
    ],
)
def test_a_time_budget_is_read_as_python_reads_it(tmp_path, line, seconds):
    source = tmp_path / "auto"
    source.mkdir()
    (source / "prepare.py").write_text(f"{line}\n")
    (source / "train.py").write_text("import helper\ntry:\n    import absent_here\nexcept ImportError:\n    pass\n")
    (source / "helper.py").write_text("")
    done = import_autoresearch(source, tmp_path / "study")
    assert load_study(str(done.directory)).study.limits.seconds == seconds
    assert "packages = []" in (done.directory / "study.toml").read_text()
