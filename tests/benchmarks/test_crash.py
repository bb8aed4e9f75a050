"""A short run of the crash benchmark: nothing is lost, nothing is left, everything goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from crash import crash


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_random_kills_of_lab_servers_and_workers(tmp_path):
    tally = crash(6, seed=3, directory=tmp_path / "lab")
    assert sum(tally.kills.values()) == 6
    assert (tally.lost, tally.invalid, tally.orphans, tally.stuck, tally.lies) == (0, 0, 0, 0, [])
    assert tally.restarts
