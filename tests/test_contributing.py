"""The diffs of CONTRIBUTING.md apply to the code as it is, and what they add works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIFFS = re.findall(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
PAGE = (ROOT / "docs/own-parts.md").read_text()
PARTS = {"quadratics.py": "arenas", "neighbours.py": "researchers"}
EVENT = """
from novum.core.events.event import EVENT_TYPES, Known, Record, told
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import fold
from novum.ledger.codec import encode, decode
happened = EVENT_TYPES["session_renamed"](reason="a trial")
assert decode("session_renamed", encode(happened)) == happened
state = fold([happened])
assert state.end_reason == "a trial", state.end_reason
print(told(happened, Known()))
"""


@pytest.fixture(scope="module")
def patched(tmp_path_factory) -> Path:
    """The source with every diff of the page and the parts that it names."""
    place = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for diff in DIFFS:
        subprocess.run(["git", "apply", "-"], cwd=place, input=diff, text=True, check=True)
    for name, room in PARTS.items():
        text = re.search(rf"```python\n(# {name}\n.*?)```", PAGE, re.S)[1]
        (place / "src/novum" / room / name).write_text(text)
    return place


def python(place: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(place / "src")}
    done = subprocess.run([sys.executable, *words], env=environment, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_a_diff_for_an_arena_a_researcher_and_an_event():
    assert [len(re.findall(r"^\+\+\+ ", diff, re.M)) for diff in DIFFS] == [1, 1, 2]


def test_an_event_is_two_files(patched):
    assert "remembered as: a trial" in python(patched, "-c", EVENT)


@pytest.mark.parametrize(("kind", "name"), [("arenas", "quadratics"), ("researchers", "neighbours")])
def test_a_part_is_its_file_and_one_line(patched, kind, name):
    listed = python(patched, "-m", "novum.cli", kind)
    assert re.search(rf"{name}.*built in", listed), listed
