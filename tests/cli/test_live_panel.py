"""The live view: it says where the metric stands, fits any terminal, and hears two keys."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from novum import Budget, read_lab
from novum.cli.printing.live_panel import lines, panel
from novum.views.progress import Confirming, NextInLine, Verdictline, progress

LONG = "a_gene_with_a_very_long_name=" + "x" * 90


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    from labs import coin_study, in_memory

    lab = in_memory(coin_study(), Budget(trials=500))
    lab.run()
    return progress(lab.state)


def drawn(now, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as text:
        console.print(panel(now, Path("labs/coins-0"), rows=height))
    return text.get().rstrip("\n").splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 24), (100, 30), (40, 24)])
def test_it_fits_and_nothing_runs_over(now, width, height):
    many = replace(
        now,
        screening=[LONG] * 8,
        confirming=[Confirming(f"h{n}", LONG, 3.0, 200.0, 0.5, 9, False) for n in range(3)],
        verdicts=[Verdictline(f"h{n}", LONG, "refuted", LONG) for n in range(9)],
        interventions=[LONG] * 3,
        failures={"crashed": 3},
    )
    shown = drawn(many, width, height)
    assert len(shown) <= height
    assert {len(line) for line in shown[:-1]} == {width}
    assert len(shown[-1]) <= width


def test_findings_are_not_crowded_out(now):
    verdicts = [Verdictline("h1", "spin=2", "supported", "")]
    verdicts += [Verdictline(f"h{n}", "shade=3", "refuted", "") for n in range(2, 30)]
    assert any("supported    h1" in line for line in drawn(replace(now, verdicts=verdicts), 80, 24))


def test_the_last_verdicts_hold_findings_beside_later_refutations():
    from labs import coin_study, in_memory

    lab = in_memory(coin_study(), Budget(trials=2500))
    lab.run()
    told = progress(lab.state, last=4).verdicts
    assert len(told) == 4
    assert sum(one.outcome == "supported" for one in told) >= 2


def test_it_says_where_the_metric_stands_and_what_waits_for_what(now):
    told = replace(
        now,
        metric="accuracy",
        baseline_level=0.29,
        incumbent_level=0.87,
        incumbent_origin="h12",
        next_verdict_seconds=40.0,
        next_in_line=NextInLine("h14", 0.05, "a verdict on what is being confirmed"),
    )
    for text in ("\n".join(drawn(told, 120, 30)), "\n".join(lines(told))):
        assert "accuracy 0.29 -> 0.87 (h12), next verdict ~40 s" in text
        assert "h14 +0.05 in screening, waits for a verdict on what is being confirmed" in text
    early = replace(now, baseline_level=None)
    assert "the baseline is being measured" in "\n".join(lines(early))


def test_keys_pause_and_stop_and_the_terminal_is_left_as_it_was(tmp_path):
    mine, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-m", "novum.cli", "run", "coinflip", "--budget", "60s", "--lab", "lab", "--force"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    running = subprocess.Popen(
        ["setsid", "-c", *command], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    pressed = [(False, b"p"), (True, b"p"), (False, b"q")]
    seen, end = b"", time.monotonic() + 60
    while running.poll() is None and time.monotonic() < end:
        if select.select([mine], [], [], 0.2)[0]:
            seen += os.read(mine, 65536)
        frames = seen.split(b"novum  coinflip")
        if pressed and len(frames) > 2 and (b"paused: what runs" in frames[-2]) is pressed[0][0]:
            os.write(mine, pressed.pop(0)[1])
            seen = b""
    assert not pressed, seen[-3000:].decode(errors="replace")
    assert running.wait(10) == 130
    assert termios.tcgetattr(theirs)[3] == before[3]
    assert read_lab(tmp_path / "lab").end_reason
