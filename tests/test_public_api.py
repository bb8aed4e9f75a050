from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import novum

ROOT = Path(__file__).parents[1]


def test_the_public_names_are_pinned_and_documented():
    assert set(novum.__all__) == {
        "Arena", "Budget", "Candidate", "ArenaSpec", "ArtefactError", "Controls", "Cost", "Executor", "GateSettings",
        "Gene", "Genome", "Metric", "OutcomeKind", "Score", "Setting", "Transfer", "TrialOutput",
        "NovumError", "Proposal", "Researcher", "ResearcherSettings", "ScreeningSettings", "Space", "Study",
        "StudyError", "StudyView", "Trial", "TrialGroup", "UserError", "__version__", "load_study", "log", "read_lab",
        "run", "tables", "verify",
        "AuthorBudget", "FollowUpSettings", "Guardrail", "HoldoutSettings", "LevelSettings", "PolicyRule",
        "PolicySettings", "WatchdogSettings", "CommentSettings",
    }  # fmt: skip
    for name in novum.__all__:
        value = getattr(novum, name)
        assert name == "__version__" or inspect.getdoc(value), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        novum.nothing  # noqa: B018


def test_the_quick_start_of_the_package_docstring_runs(tmp_path):
    file = novum.load_study("coinflip")
    summary = novum.run(file.study, novum.Budget(trials=300), tmp_path / "coins")
    assert 260 <= summary.trials <= 300
    assert novum.read_lab(tmp_path / "coins").trials == summary.trials
    assert novum.verify(tmp_path / "coins").ok


@pytest.mark.parametrize("page", sorted(p for p in ROOT.rglob("*.md") if ".venv" not in p.parts), ids=str)
def test_no_link_in_the_documentation_is_broken(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_room_and_command_is_in_the_documentation():
    readme, guide = (ROOT / "README.md").read_text(), (ROOT / "docs/guide.md").read_text()
    for room in (p for p in (ROOT / "src/novum").iterdir() if p.is_dir() and p.name != "__pycache__"):
        assert f"{room.name}/" in readme, room.name
    for command in ("run", "status", "findings", "failures", "show", "report", "verify", "arenas"):
        assert f"novum {command}" in guide, command


def test_files_and_functions_stay_small():
    import ast

    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno - node.lineno < 70, f"{path}:{node.lineno} {node.name}"


@pytest.mark.parametrize(
    ("study", "budget", "said"),
    [
        ({}, {"trials": 0}, "trials"),
        ({}, {"wall_seconds": float("inf")}, "wall_seconds"),
        ({}, {}, "no budget"),
        ({"seed": -4}, {"trials": 50}, "seed"),
        ({"executor": "cloud"}, {"trials": 50}, "executor"),
        ({"gate": novum.GateSettings(alpha=5)}, {"trials": 50}, "alpha"),
        ({"screening": novum.ScreeningSettings(keep_one_in=0)}, {"trials": 50}, "keep_one_in"),
        ({"name": "../escape"}, {"trials": 50}, "name"),
    ],
)
def test_what_is_built_in_python_is_held_to_the_same_rules(tmp_path, study, budget, said):
    import dataclasses

    base = novum.load_study("coinflip").study
    novum.run(base, novum.Budget(trials=40), tmp_path / "lab", force=True)
    with pytest.raises(novum.StudyError, match=said):
        novum.run(dataclasses.replace(base, **study), novum.Budget(**budget), tmp_path / "lab")
    assert novum.verify(tmp_path / "lab").ok


def test_the_command_line_answers_without_the_lab():
    """`novum --help` builds the command line and nothing behind it: no pydantic, no session, no ledger."""
    code = (
        "import sys; from novum.cli.app import application; application(); "
        "print([name for name in sys.modules if name.partition('.')[0] in ('pydantic', 'numpy', 'asyncio', 'sqlite3') "
        "or name.startswith(('novum.lab', 'novum.core.engine', 'novum.core.state', 'novum.ledger', 'novum.views'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_comes_back_shows_itself_and_becomes_data_frames(tmp_path):
    seen = []
    study = novum.load_study("coinflip").study
    summary = novum.run(study, novum.Budget(trials=700), tmp_path / "lab", progress=seen.append, workers=1)
    assert seen
    assert seen[0].study == "coinflip"
    assert re.fullmatch(r"<coinflip: \d+ hypotheses in \d+ trials: .*>", repr(summary), re.S)
    assert all(one.id in repr(summary) and one.id in summary._repr_html_() for one in summary.findings)
    state = novum.read_lab(tmp_path / "lab")
    assert re.fullmatch(r"<campaign coinflip, stopped: \d+ hypotheses, \d+ trials, \d+ supported>", repr(state))
    tables = novum.tables(tmp_path / "lab")
    assert len(tables["trials"]["score"]) == state.trials
    assert set(tables["hypotheses"]["id"]) == set(state.hypotheses)
    assert all(len({len(column) for column in one.values()}) <= 1 for one in tables.values())
