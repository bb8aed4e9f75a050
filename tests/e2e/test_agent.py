"""A coding agent from the shell: it edits the program of a running lab, and the lab confirms what it claims."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import programs
import pytest
from labs import sealed

from novum import verify
from novum.ledger.journal import is_held
from novum.sandbox import Tier, sandbox_status

STUDY = f"""{programs.STUDY}
[gate]
alpha = 0.2
planned = 1
calibration_pairs = 3
estimate_pairs = 2
[screening]
keep_one_in = 1
seeds = 2
[follow_up]
share = 0.0
[researcher]
name = "inbox"
"""
RUN = """
from contextlib import suppress
from pathlib import Path
from novum import Budget, load_study
from novum.lab.session import session
study = load_study("guess").study
with suppress(KeyboardInterrupt), session(study, Budget(wall_seconds=60), Path("lab")) as lab:
    lab.run()  # without a preflight, which takes long
"""
AGENTS = Path(__file__).parents[1] / "agent" / "scripted_agents.py"


def novum(*words, cwd: Path, status: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "novum.cli", *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    if sandbox_status().tier is not Tier.NAMESPACES:
        pytest.skip(f"no sandbox of tier namespaces here: {sandbox_status().advice}")
    place = tmp_path_factory.mktemp("agent")
    programs.write_program(place / "guess")
    (place / "guess" / "study.toml").write_text(STUDY)
    sealed(place / "lab")
    (place / "tool").mkdir()
    shutil.copy(AGENTS, place / "tool" / "agents.py")
    return place


def test_an_edit_reaches_the_ledger_and_a_verdict(place):
    agent = ["agent", "--lab", "lab", "--readable", "tool", "--as", "coder"]
    command = ["--", "python", place / "tool" / "agents.py"]
    runner = subprocess.Popen([sys.executable, "-c", RUN], cwd=place)
    try:
        until = time.monotonic() + 30
        while not ((place / "lab" / "lab.secret").exists() and is_held(place / "lab")):
            assert time.monotonic() < until and runner.poll() is None
            time.sleep(0.1)
        said, told = novum(*agent, "--follow", "--json", *command, "improve", "{brief}", cwd=place)
        (one,) = json.loads(said)["rounds"]
        assert (one["author"], one["fate"]["hypothesis"], one["fate"]["outcome"]) == ("agent:coder", "h1", "supported")
        assert "h1: settled" in told
        novum("stop", "--lab", "lab", cwd=place)
        runner.wait(20)
    finally:
        runner.kill()
        runner.wait()
    (finding,) = json.loads(novum("findings", "--lab", "lab", "--json", cwd=place)[0])
    assert (finding["author"], finding["rationale"]) == ("agent:coder", "larger steps come nearer")
    assert verify(place / "lab").ok
    assert not list((place / "lab" / "requests").iterdir())
