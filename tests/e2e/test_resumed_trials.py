"""A lab is killed in the middle of a trial; run again, the trial goes on from its checkpoint and costs what it cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from novum.arenas.program import trial as worker
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup
from novum.core.state.full_state import FullState
from novum.executors.local.executor import LocalExecutor
from novum.lab import verification
from novum.lab.session import session
from novum.sandbox import Tier, sandbox_status
from novum.sandbox.checkpoints.checkpoint_files import SUFFIX
from novum.sandbox.live_readings import DIRECTORY
from novum.studies.load import load_study

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")]

SCRIPT = """
import json, os, random, sys, time
STEPS, HALF = 8, 4
start = time.process_time()
state = {"done": 0, "total": 0.0}
if os.path.exists("ckpt.json"):
    state = json.load(open("ckpt.json"))
first = state["done"]
for step in range(first, STEPS):
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    state = {"done": step + 1, "total": state["total"] + random.Random(f"{sys.argv[1]} {step}").random()}
    if step + 1 == HALF:
        json.dump(state, open("ckpt.json", "w"))
        while os.path.exists(os.path.join(WAIT, "here")):
            time.sleep(0.01)
json.dump({"total": state["total"], "steps": STEPS - first}, open("result.json", "w"))
"""
STUDY = """
name = "long"
question = "Does it go on?"

[program]
metric = "total"
resolution = 0.01
report = {{ file = "result.json", key = "total" }}
metrics = [{{ name = "steps", resolution = 1.0 }}]
command = ["python", "train.py", "{{seed}}"]
editable = ["train.py"]
checkpoint = "ckpt.json"
data = [{wait}]
compute = "free"

[limits]
seconds = 30.0
"""
LAB = """
import sys
from pathlib import Path
from novum.core.model.budget import Budget
from novum.lab.session import session
from novum.studies.load import load_study
with session(load_study(sys.argv[1]).study, Budget(trials=3), Path(sys.argv[2]), workers=1) as lab:
    lab.run()
"""


@pytest.fixture
def wait(tmp_path):
    """While there is a file `here` in it, trials stand still in the middle."""
    (tmp_path / "wait").mkdir()
    (tmp_path / "wait/here").touch()
    return tmp_path / "wait"


@pytest.fixture
def place(tmp_path, wait):
    """The directory of the study."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study/train.py").write_text(SCRIPT.replace("WAIT", repr(str(wait))))
    (tmp_path / "study/study.toml").write_text(STUDY.format(wait=json.dumps(str(wait))))
    return tmp_path / "study"


def kept_in(live, still_runs) -> list[Path]:
    """The checkpoints in a directory, as soon as there is one."""
    until = time.monotonic() + 30
    while not (kept := list(live.glob(f"*{SUFFIX}"))) and time.monotonic() < until:
        assert still_runs()
        time.sleep(0.02)
    return kept


def test_a_trial_of_a_killed_lab_goes_on_from_its_checkpoint(tmp_path, wait, place):
    lab = tmp_path / "lab"
    with subprocess.Popen([sys.executable, "-c", LAB, str(place), str(lab)]) as runner:
        kept = kept_in(lab / DIRECTORY, lambda: runner.poll() is None)
        runner.send_signal(signal.SIGKILL)
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o600
    (wait / "here").unlink()
    study = load_study(str(place)).study
    with session(study, Budget(trials=3), lab, workers=1) as running:
        running.run()
        full, finished = FullState(), []
        for record in running.ledger.read():
            full.keep(record.event)
            finished += [record.event] if isinstance(record.event, TrialFinished) else []
        groups = [running.context.group(full.plan(one.group)) for one in finished]
    assert len(finished) == 3
    (resumed,) = [one for one in finished if "resumed_after_cpu_seconds" in one.facts]
    assert [one.others["steps"] for one in finished if one is not resumed] == [8.0, 8.0]
    assert resumed.others["steps"] == 4.0
    assert resumed.cpu_seconds > resumed.facts["resumed_after_cpu_seconds"] + 4 * 0.05 > 8 * 0.05
    assert resumed.wall_seconds >= resumed.cpu_seconds * 0.9
    (whole,) = worker.run(groups[finished.index(resumed)])
    arena, group = running.context.arena, groups[finished.index(resumed)]
    assert arena.score(group, group.trials[0], whole.artefact).value == resumed.score
    assert list((lab / DIRECTORY).iterdir()) == []
    assert verification.verify(lab).ok


def test_a_trial_of_a_lost_worker_goes_on_from_its_checkpoint(tmp_path, wait, place):
    study, live = load_study(str(place)).study, tmp_path / "live"
    live.mkdir()
    group = TrialGroup("g", Candidate({}), (Trial("g.0", 1),), study.options, limits=study.limits)
    with LocalExecutor("novum.arenas.program.trial", 1) as executor:
        executor.show_progress_in(live)
        executor.submit(group)
        assert kept_in(live, lambda: not executor.collect(0.0))
        (server,) = (one.pid for one in executor._slots)
        os.kill(server, signal.SIGKILL)
        (lost,) = executor.collect(10.0)
        assert lost.outputs[0].failure is OutcomeKind.LOST
        (wait / "here").unlink()
        executor.submit(replace(group, id="g2", trials=(Trial("g2.0", 1),)))
        (again,) = executor.collect(20.0)
    cpu, wall = again.outputs[0].resumed
    assert cpu > 4 * 0.05 and wall >= cpu * 0.9
    assert b'steps": 4' in again.outputs[0].artefact.replace(b"\\", b"")
    assert list(live.iterdir()) == []
