"""Tasks of OpenEvolve become studies that are scored as OpenEvolve scores them, or end in one clear line."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.support.imported_tasks import score, written

from novum.arenas.program.arena import REPORTED
from novum.cli.app import main
from novum.core.model.errors import StudyError
from novum.integrations.importers.import_files import helper
from novum.integrations.importers.openevolve import import_openevolve
from novum.integrations.importers.openevolve_config import read_config

EXAMPLES = Path(__file__).parents[2] / "examples"


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
        "def evaluate(path): return EvaluationResult(metrics={'speed': 2.0, 'size': 4.0}, artifacts={})\n"
    )
    done = import_openevolve(source, tmp_path / "study")
    assert any("names no combined_score" in note for note in done.notes)
    assert score(done.directory)[1] == 3.0  # the mean of what it says, as it names no combined score
    (tmp_path / "study" / "evaluator.py").write_text("def evaluate(path): return {'combined_score': 0, 'error': 'no'}")
    with pytest.raises(Exception, match="evaluate\\(\\) reported: no"):
        score(done.directory)


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


def harness(**changes) -> dict:
    """The functions of the file that calls an evaluator, defined here."""
    settings = {"program": "'p.py'", "evaluator": "'e'", "features": ("size",), "thresholds": None} | changes
    names = {"__name__": "harness"}
    exec(helper("novum_evaluate.py", **settings), names)
    return names


@pytest.mark.parametrize("result", VALUES)
def test_numbers_are_numbers_whoever_made_them(result):
    names = harness()
    value = eval(result, {"np": np, "Decimal": Decimal, "Fraction": Fraction})  # noqa: S307
    assert names["fitness"](names["asked"](lambda path: value)) == VALUES[result]


@pytest.mark.parametrize("result", [{"combined_score": "high"}, {"combined_score": np.zeros(2)}, {"text": "x"}, {}])
def test_what_is_no_number_is_no_score(result):
    assert harness()["fitness"](result) is None


def test_a_stage_is_reached_by_the_score_of_those_before():
    module = SimpleNamespace(
        evaluate_stage1=lambda path: {"fit": 0.5, "error": 9.0},
        evaluate_stage2=lambda path: {"fit": 0.7, "more": 0.9},
        evaluate_stage3=lambda path: {"combined_score": 4.0},
    )
    reached = {
        (0.6,): {"fit", "error"},
        (0.5,): {"fit", "more"},
        (0.5, 0.9): {"fit", "more"},
        (0.5, 0.8): {"fit", "more", "combined_score"},
    }
    for thresholds, names in reached.items():
        assert set(harness(thresholds=thresholds)["cascade"](module)) == names


@pytest.mark.parametrize(
    ("config", "seconds", "note"),
    [
        ("evaluator:\n  timeout: 6e1\n", 60.0, r"taken over: evaluator\.timeout \(60 s\)"),
        ("max_iterations: 5\nevaluator: {parallel_evaluations: 4}\n", 300.0, "not used: max_iterations, evaluator.par"),
        ("database:\n  feature_dimensions: [size]\n", 300.0, r"taken over: database\.feature_dimensions"),
        ("evaluator: {timeout: 120}\n", 120.0, r"taken over: evaluator\.timeout \(120 s\)"),
        ("llm:\n  timeout: 7\nevaluator:\n  cascade: true\n", 300.0, "taken over: nothing"),
        ("evaluator:\n  # timeout: 5\n  timeout: 1_0\n", 10.0, r"\(10 s\)"),
        ("evaluator: &e\n  timeout: 30.5\nother: *e\n", 30.5, r"\(30\.5 s\)"),
        ("evaluator:\n  timeout: soon\n", 300.0, "'soon', which is no limit"),
        ("evaluator:\n  timeout: -5\n", 300.0, "-5, which is no limit"),
        ("evaluator: [1, 2\n", 300.0, r"config\.yaml line \d+: no readable YAML"),
    ],
)
def test_a_configuration_is_read_as_yaml_and_what_is_taken_over_is_said(tmp_path, config, seconds, note):
    found = read_config(written(tmp_path, {"config.yaml": config}))
    assert found.seconds == seconds
    assert any(re.search(note, one) for one in found.notes), found.notes


def test_a_tool_that_is_not_here_is_named(tmp_path):
    evaluator = (
        "import subprocess\ndef evaluate(path):\n    command = ['no-such-tool', path]\n    subprocess.run(command)\n"
    )
    source = written(tmp_path / "task", {"initial_program.r": "x <- 1\n", "evaluator.py": evaluator})
    notes = import_openevolve(source, tmp_path / "study").notes
    assert any("no-such-tool: install that" in note for note in notes)
    assert "initial_program.r is no Python: without a language model only numbers in it are changed" in notes


def test_what_a_task_has_twice_is_named_and_not_chosen(tmp_path):
    source = written(tmp_path / "task", {"initial_program.py": "", "initial_program.rs": "", "evaluator.py": ""})
    with pytest.raises(StudyError, match=r"there are initial_program\.py, initial_program\.rs: --program FILE says"):
        import_openevolve(source, tmp_path / "study")
    with pytest.raises(StudyError, match=r"--config other\.yaml: there is no such file"):
        import_openevolve(source, tmp_path / "study", config="other.yaml")
    assert not (tmp_path / "study").exists()


PROGRAM = """import random
# EVOLVE-BLOCK-START
SIZE = 3
# EVOLVE-BLOCK-END
def run(seed=0):
    return SIZE
"""
LOAD = """import importlib.util
def load(path):
    spec = importlib.util.spec_from_file_location("program", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
"""
TASKS = {
    "combined score of numpy": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "import numpy as np\n" + LOAD + "def evaluate(program_path):\n"
            "    size = load(program_path).run()\n"
            "    return {'combined_score': np.array(size / 4), 'size': np.float32(size), 'valid': True}\n",
            "config.yaml": "max_iterations: 100\nevaluator: {timeout: 6e1}\n",
        },
        0.75,
        "not used: max_iterations",
    ),
    "mean without features": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def evaluate(path):\n    return {'speed': 1.0, 'fit': 2, 'size': 90.0, 'ok': True}\n",
            "config.yaml": "database: {feature_dimensions: [size, score]}\n",
        },
        1.5,
        "mean of the numeric metrics but size, score",
    ),
    "only features": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def evaluate(path):\n    return {'complexity': 4.0, 'diversity': 2, 'x': float('nan')}\n",
        },
        3.0,
        "OpenEvolve's default: no config.yaml",
    ),
    "result with artifacts": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "from openevolve.evaluation_result import EvaluationResult\n"
            "async def evaluate(path):\n"
            "    return EvaluationResult(metrics={'combined_score': 2.5}, artifacts={'log': 'fine', 'raw': b'x'})\n",
        },
        2.5,
        "artifacts are shown",
    ),
    "cascade": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def evaluate(path):\n    raise RuntimeError('not called')\n"
            "def evaluate_stage1(path):\n    return {'combined_score': 0.6, 'error': 0.0}\n"
            "def evaluate_stage2(path):\n    return {'combined_score': 0.7, 'detail': 1.0}\n"
            "def evaluate_stage3(path):\n    return {'combined_score': 9.0}\n",
            "config.yml": "evaluator:\n  timeout: 20\n  cascade_thresholds: [0.6, 0.8]\n",
        },
        0.7,
        "cascade evaluate_stage1, evaluate_stage2, evaluate_stage3 with thresholds 0.6, 0.8",
    ),
    "a stage that raises": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def evaluate_stage1(path):\n    return {'fit': 0.8}\n"
            "def evaluate_stage2(path):\n    raise ValueError('too large')\n"
            "def evaluate(path):\n    return {'fit': 5.0}\n",
        },
        0.4,
        "keeps the score of the stages before",
    ),
    "cascade off": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def evaluate_stage1(path):\n    return {'fit': 0.0}\n"
            "def evaluate(path):\n    return {'fit': 5.0}\n",
            "config_phase_1.yaml": "evaluator: {cascade_evaluation: false}\n",
            "config_phase_2.yaml": "evaluator: {timeout: 7}\n",
        },
        5.0,
        "config_phase_1.yaml is used, config_phase_2.yaml not",
    ),
    "another language, data and helpers": (
        {
            "initial_program.sh": "# EVOLVE-BLOCK-START\necho 3\n# EVOLVE-BLOCK-END\n",
            "evaluator.py": "import subprocess\nfrom pathlib import Path\nfrom tools.scale import scaled\n"
            "HERE = Path(__file__).parent\n"
            "def evaluate(path):\n"
            "    said = subprocess.run(['sh', path], capture_output=True, text=True, cwd='/tmp').stdout\n"
            "    return {'combined_score': scaled(float(said)) + float((HERE / 'data/offset.csv').read_text())}\n",
            "tools/scale.py": "def scaled(value):\n    return 2 * value\n",
            "data/offset.csv": "0.5",
            "requirements.txt": "numpy>=1\nno-such-distribution  # for plots\n",
            "config.yaml": "file_suffix: .sh\n",
            "unused.py": "import subprocess\nsubprocess.run(['no-such-tool'])\n",
        },
        6.5,
        "requirements.txt names no-such-distribution, not installed here",
    ),
    "a program of another name": (
        {
            "init_program.py": PROGRAM,
            "evaluator.py": LOAD + "def evaluate(path):\n    return {'combined_score': load(path).SIZE}\n",
        },
        3.0,
        "the score is combined_score",
    ),
    "a missing package": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "import absent_package\ndef evaluate(path):\n    return {}\n",
        },
        None,
        "evaluator.py imports absent_package, which is not installed where Novum runs: pip install absent_package",
    ),
    "no evaluate": (
        {"initial_program.py": PROGRAM, "evaluator.py": "def score(path):\n    return {}\n"},
        None,
        "evaluator.py has no function evaluate(program_path), which OpenEvolve calls: add it",
    ),
    "an evaluator that crashes": (
        {
            "initial_program.py": PROGRAM,
            "evaluator.py": "def ready():\n    raise RuntimeError('no mlir-opt')\nready()\ndef evaluate(path): ...\n",
        },
        None,
        "evaluator.py cannot be imported: RuntimeError: no mlir-opt (evaluator.py, line 2): mend that",
    ),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_runs_as_it_is_or_ends_in_one_clear_line(tmp_path, monkeypatch, capsys, name):
    files, value, words = TASKS[name]
    source, study = written(tmp_path / "task", files), tmp_path / "study"
    monkeypatch.setattr(sys, "argv", ["novum", "import", "openevolve", str(source), "-o", str(study)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert words in said.out + said.err
    if value is None:
        assert (ended.value.code, said.err.count("\n")) == (2, 1)
        assert not study.exists()
    else:
        assert ended.value.code == 0
        assert "no-such-tool" not in said.out
        assert score(study)[1] == value
