"""The parts of docs/own-parts.md as they stand there, outside the repository, named by path and by entry point."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from novum import registry
from novum.core.model.errors import StudyError

PAGE = Path(__file__).parents[1] / "docs/own-parts.md"
BLOCKS = {found[1]: found[0] for found in re.findall(r"```(?:python|toml)\n(# (\S+)\n.*?)```", PAGE.read_text(), re.S)}
SUITES = [name for name in BLOCKS if name.startswith("test_")]
OWN = """
executor = "{executor}"
[researcher]
name = "{researcher}"
options = {{ tries = 50 }}
"""


def shell(place: Path, *words: str, ok: int = 0) -> str:
    """Run Python in `place`, whose files alone are added to what is installed."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == ok, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def named(place: Path, arena: str, researcher: str, executor: str) -> None:
    """Let the study name these parts."""
    text = BLOCKS["study.toml"].replace("quadratics:Quadratics", arena)
    (place / "study.toml").write_text(text + OWN.format(researcher=researcher, executor=executor))


def installed(place: Path) -> None:
    """What `pip install` leaves of the page's pyproject.toml: metadata with entry points."""
    project = tomllib.loads(BLOCKS["pyproject.toml"])["project"]
    info = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in parts.items())
        for group, parts in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))


def test_the_arena_has_forty_lines():
    assert len([line for line in BLOCKS["quadratics.py"].splitlines()[1:] if line.strip()]) <= 40


@pytest.mark.parametrize("suite", SUITES)
def test_one_import_tells_whether_a_part_is_right(place, suite):
    shell(place, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", suite)


def test_a_wrong_arena_is_told_what_is_wrong(place):
    wrong = BLOCKS["quadratics.py"].replace("except (ValueError, TypeError", "except (KeyError, TypeError")
    (place / "quadratics.py").write_text(wrong)
    said = shell(place, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_quadratics.py", ok=1)
    assert "test_no_artefact_makes_the_scorer_fail_in_another_way" in said


@pytest.mark.parametrize(
    ("arena", "researcher", "executor"),
    [
        ("quadratics:Quadratics", "neighbours:Neighbours", "local"),
        ("quadratics", "neighbours", "pool"),
    ],
    ids=["by path", "by entry point"],
)
def test_a_study_of_own_parts_runs_to_a_verdict_verifies_packs_and_replays(place, arena, researcher, executor):
    if ":" not in arena:
        installed(place)
    named(place, arena, researcher, executor)
    lab = ("--lab", "lab")
    shell(place, "-m", "novum.cli", "run", "study.toml", "--budget", "250 trials", "--workers", "1", "--force", *lab)
    found = json.loads(shell(place, "-m", "novum.cli", "findings", "--json", *lab))
    finding = found[0]["id"]
    assert json.loads(shell(place, "-m", "novum.cli", "verify", "--json", *lab))["ok"]
    shell(place, "-m", "novum.cli", "export", finding, "-o", "pack.zip", *lab)
    assert json.loads(shell(place, "-m", "novum.cli", "verify", "pack.zip", "--json"))["ok"]
    assert json.loads(shell(place, "-m", "novum.cli", "replay", "pack.zip", "--trials", "4", "--json"))["ok"]


def test_what_is_installed_is_listed_with_the_package_it_is_from(place):
    installed(place)
    for kind, name in (("arenas", "quadratics"), ("researchers", "neighbours"), ("executors", "pool")):
        assert re.search(rf"{name}.*novum-quadratics", shell(place, "-m", "novum.cli", kind))


@pytest.mark.parametrize("name", ["subprocess:Popen", "os:system", "antigravity:Anything"])
def test_a_record_of_somebody_else_cannot_make_novum_call_just_anything(name):
    with pytest.raises(StudyError, match="a part of Python"):
        registry.find(registry.Kind.ARENA, name, "arena")
    assert "antigravity" not in sys.modules
