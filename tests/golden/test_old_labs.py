"""Labs of an earlier version are opened, verified, shown and reported; one that was killed goes on or says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.support.archives import unpack

import novum

HERE = Path(__file__).parent
NAMES = sorted(path.name.removesuffix(".tar.gz") for path in (HERE / "labs").glob("*.tar.gz"))


def command(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(Path(novum.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    world = {**os.environ, "PYTHONPATH": paths, "TERM": "dumb", "COLUMNS": "120"}
    line = [sys.executable, "-m", "novum.cli", *words]
    return subprocess.run(line, cwd=place, env=world, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def lab(request, tmp_path) -> Path:
    with tarfile.open(HERE / "labs" / f"{request.param}.tar.gz") as archive:
        unpack(archive, tmp_path)
    return tmp_path / "lab"


@pytest.mark.parametrize("lab", NAMES, indirect=True)
def test_a_lab_of_an_earlier_version_is_read_and_its_record_holds(lab):
    state = novum.read_lab(lab)
    assert state.study is not None
    assert state.findings
    if state.study.arena == "program":
        return  # it scores in a sandbox, which takes long: test_golden.py verifies this one by the command
    result = novum.verify(lab)
    assert result.ok, result.lie
    assert result.verdicts > 0


@pytest.mark.parametrize("lab", ["killed"], indirect=True)
def test_a_lab_of_an_earlier_version_is_shown_and_reported_by_the_command(lab):
    shown = command(lab.parent, "show", "h3", "--lab", "lab", "--json")
    assert shown.returncode == 0, shown.stderr
    report = command(lab.parent, "report", "--lab", "lab")
    assert report.returncode == 0, report.stderr
    assert "h3" in (lab / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lab", ["killed"], indirect=True)
def test_a_lab_that_an_earlier_version_left_in_the_middle_goes_on_or_says_what_to_do(lab):
    """The code of an arena is part of a campaign's rules: with other code the lab is refused, and left as it is."""
    before = novum.verify(lab)
    shutil.copy(HERE / "studies" / "killed.toml", lab.parent)
    done = command(lab.parent, "run", "killed.toml", "--lab", "lab", "--workers", "1", "--plain")
    after = novum.verify(lab)
    assert after.ok, after.lie
    if done.returncode == 0:
        assert "budget: " in done.stdout
        assert after.trials > before.trials
        return
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("novum: ") and done.stderr.count("\n") == 1
    assert "go back to that code to finish it, or choose another --lab DIR" in done.stderr
    assert after.events == before.events
