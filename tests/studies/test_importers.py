"""Other tools' layouts become studies that run as they are, beside the original, which stays untouched."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from tests.support.imported_tasks import score

from novum.arenas.program.arena import OUTSIDE
from novum.core.model.errors import StudyError
from novum.integrations.importers.aide import import_aide
from novum.integrations.importers.autoresearch import import_autoresearch
from novum.integrations.importers.openevolve import import_openevolve
from novum.studies.load import load_study

EXAMPLES = Path(__file__).parents[2] / "examples"


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


GOAL = "## Goal\nPredict price, please.\n## Evaluation\nRMSE between the logarithms.\n"


@pytest.mark.parametrize(
    ("train", "test", "words", "options", "expected"),
    [
        ({"id": 1, "y": 2.0}, {"id": 1}, "MAE", {}, "'y', the one column of train.csv that test.csv lacks"),
        ({"a": 1, "price": 2.0}, None, GOAL, {}, "'price', the one such column that the goal names"),
        ({"a": 1, "target": 2.0}, None, "Lower the MSE.", {}, "'target', by its name, a guess"),
        ({"a": 1, "b": 2.0}, None, "accuracy", {"column": "a"}, "'a', as --target says"),
        (
            {"a": 1, "b": 2.0},
            None,
            "",
            {"goal": "the best b", "evaluation": "R2"},
            "the metric is r2 (higher is better)",
        ),
        ({"a": 1, "price": 2.0}, None, GOAL, {}, "the metric is rmsle (lower is better)"),
        ({"a": 1, "b": 2.0}, None, "Lower the MAE of b, not the RMSE.", {}, "which names mae too"),
    ],
)
def test_what_an_aide_task_leaves_open_is_found_and_said(tmp_path, train, test, words, options, expected):
    write_rows(tmp_path / "task" / "train.csv", [train, {name: value + 1 for name, value in train.items()}])
    if test:
        write_rows(tmp_path / "task" / "test.csv", [test])
    (tmp_path / "task" / "goal.txt").write_text(words)
    done = import_aide(tmp_path / "task", tmp_path / "study", **options)
    assert any(expected in note for note in done.notes), done.notes


@pytest.mark.parametrize(
    ("words", "options", "expected"),
    [
        ("accuracy", {}, "nothing says which of its columns is to be predicted: say --target with one of a, b"),
        ("AUC", {"column": "a"}, "auc is of two classes here, and 'a' has 3 values"),
        ("MAE", {"column": "b"}, "mae is of numbers, and 'b' has 'x'"),
        ("Win.", {"column": "b"}, "no metric is named that can be scored here: say --eval with one of"),
        ("MAE", {"column": "c"}, "--target c: train.csv has no such column"),
    ],
)
def test_what_an_aide_task_leaves_open_is_not_guessed(tmp_path, words, options, expected):
    write_rows(tmp_path / "task" / "train.csv", [{"a": n, "b": "x"} for n in range(3)])
    (tmp_path / "task" / "goal.txt").write_text(words)
    with pytest.raises(StudyError, match=expected):
        import_aide(tmp_path / "task", tmp_path / "study", **options)


def test_what_is_missing_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    for layout, words in (
        (import_openevolve, r"there is no initial_program\.\*"),
        (import_autoresearch, r"there is no prepare\.py"),
        (import_aide, r"there is no train\.csv"),
    ):
        with pytest.raises(StudyError, match=words):
            layout(tmp_path / "empty", tmp_path / "out")
        assert not (tmp_path / "out").exists()
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
        "mse": (["0", "4"], ["3", "0"], 12.5),
        "r2": (["0", "4"], ["0", "2"], 0.5),
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
