"""A lab is killed in the middle of a trial; run again, the trial goes on from its checkpoint and costs what it cost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from novum.arenas.program import trial as worker
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.state.full_state import FullState
from novum.lab import verification
from novum.lab.session import session
from novum.sandbox import Tier, sandbox_status
from novum.sandbox.live_readings import CHECKPOINT
from novum.studies.load import load_study

pytestmark = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")

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


def test_a_trial_of_a_killed_lab_goes_on_from_its_checkpoint(tmp_path):
    wait, lab, place = tmp_path / "wait", tmp_path / "lab", tmp_path / "study"
    for folder in (wait, place):
        folder.mkdir()
    (wait / "here").touch()
    (place / "train.py").write_text(SCRIPT.replace("WAIT", repr(str(wait))))
    (place / "study.toml").write_text(STUDY.format(wait=json.dumps(str(wait))))
    with subprocess.Popen([sys.executable, "-c", LAB, str(place), str(lab)]) as runner:
        until = time.monotonic() + 30
        while not (kept := list(lab.glob(f"live/*{CHECKPOINT}"))) and time.monotonic() < until:
            assert runner.poll() is None
            time.sleep(0.02)
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
    assert list(lab.glob(f"live/*{CHECKPOINT}")) == []
    assert verification.verify(lab).ok
