"""Children of the fork server behind walls: the attacks from within, and how groups end there."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from novum.core.model.candidate import Candidate
from novum.core.model.errors import ExecutorError
from novum.core.model.trial import Limits, OutcomeKind, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
from novum.executors.local.frames import ENTERED
from novum.sandbox.job import Tier
from novum.sandbox.limits.cpu_counter import open_counter
from novum.sandbox.tiers.landlock import gaps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")

MIB = 1 << 20
SIEGE = Path(__file__).parents[1] / "sandbox"
SMALL = Limits(seconds=20.0, memory_bytes=128 * MIB, processes=24, file_bytes=8 * MIB)


@pytest.fixture(scope="module")
def siege():
    """The modules of the sandbox's own tests: what is attacked, and how."""
    sys.path.insert(0, str(SIEGE))
    try:
        import attacks
        import targets
    finally:
        sys.path.remove(str(SIEGE))
    return attacks, targets


@pytest.fixture(params=[Tier.NAMESPACES, Tier.LANDLOCK], ids=str)
def tier(request) -> Tier:
    return request.param


@pytest.fixture
def executor(tier, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", python_path(Path(__file__).parent))
    monkeypatch.setenv("NOVUM_API_KEY", "secret")
    with LocalExecutor("siege_program", 1, sandbox=tier) as made:
        try:
            result = one(made, "echo", {"targets": json.dumps({"only": []})})
        except ExecutorError as error:
            pytest.skip(str(error))
        assert result.outputs[0].artefact == b"{}"
        yield made


def python_path(folder):
    """For servers: `folder`, and what this process finds novum by."""
    return os.pathsep.join([str(folder), *filter(None, sys.path)])


def one(executor, name, genes, limits=SMALL):
    executor.submit(TrialGroup(name, Candidate(genes), (Trial(f"{name}/1", 1),), limits=limits))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if results := executor.collect(1.0):
            return results[0]
    raise AssertionError("no answer in time")


@pytest.mark.alone
def test_the_attacks_from_within(executor, tier, siege):
    attacks, targets = siege
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))
        outside = targets.Outside(Path(folder), stack)
        aims = outside.targets(targets.SMALL, tier, known_descriptors=[3], disk_bytes=80 * MIB)
        worked = {}
        names, greedy = [attack.__name__ for attack in attacks.ATTACKS], targets.GREEDY
        for only in ([name for name in names if name not in greedy], *([name] for name in greedy)):
            result = one(executor, only[0], {"targets": json.dumps({**aims, "only": only})})
            output = result.outputs[0]
            assert output.failure is None or only[0] in greedy, output.cause
            worked |= json.loads(output.artefact or b"{}")
        expected = set() if tier is Tier.NAMESPACES else {gap.partition(":")[0] for gap in gaps()}
        assert set(worked) == expected, worked
        assert outside.was_touched() == []


def test_the_same_attacks_work_without_walls(monkeypatch, siege):
    _, targets = siege
    monkeypatch.setenv("PYTHONPATH", python_path(Path(__file__).parent))
    only = ["read_secret", "write_outside", "net_loopback_tcp", "signal_parent", "kill_sibling", "memfd"]
    with ExitStack() as stack, LocalExecutor("siege_program", 1) as executor:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))
        outside = targets.Outside(Path(folder), stack)
        aims = outside.targets(targets.SMALL, Tier.NONE, known_descriptors=[3], only=only)
        result = one(executor, "open", {"targets": json.dumps(aims)})
        assert set(json.loads(result.outputs[0].artefact or b"{}")) == set(only)


def test_no_secret_reaches_a_child(executor):
    aims = {"token": "secret", "parent": os.getpid(), "sibling": os.getpid(), "only": ["own_environ", "parent_environ"]}
    result = one(executor, "look", {"targets": json.dumps({**aims, "known_descriptors": [3]})})
    assert result.outputs[0].artefact == b"{}"


@pytest.mark.alone
def test_daemons_end_with_a_group(executor):
    mark = f"MARK{os.getpid()}X{time.monotonic_ns()}"
    before = time.monotonic()
    result = one(executor, "hide", {"act": "hide", "mark": mark}, replace(SMALL, seconds=0.8))
    assert result.outputs[0].failure is OutcomeKind.TIMED_OUT
    assert time.monotonic() - before < 8.0
    assert marked(mark) == []


def test_a_forged_word_is_no_answer(executor):
    """A child that says a second time that it entered has only spoiled its frame."""
    result = one(executor, "forge", {"act": "forge", "hex": ENTERED.hex()})
    assert result.outputs[0].failure is OutcomeKind.INVALID


def test_usage_is_measured_from_outside(executor):
    result = one(executor, "usage", {"targets": json.dumps({"only": []})})
    assert 0 < result.usage.cpu_seconds < 1
    assert 0 < result.usage.wall_seconds < 5


@pytest.mark.skipif(open_counter(0) is None, reason="perf events are denied here, and `novum doctor` says so")
def test_cpu_time_of_short_lived_children_that_nobody_waits_for(executor):
    idle = one(executor, "idle", {"targets": json.dumps({"only": []})}).usage.cpu_seconds
    assert one(executor, "burn", {"act": "burn"}).usage.cpu_seconds > idle + 0.45
    assert one(executor, "again", {"targets": json.dumps({"only": []})}).usage.cpu_seconds < idle + 0.25


@pytest.mark.parametrize("who", ["lab", "server"])
def test_nothing_outlives_a_killed_lab_or_server(executor, tier, who):
    mark = f"MARK{os.getpid()}X{time.monotonic_ns()}"
    lab = subprocess.Popen([sys.executable, "-c", LAB, str(tier), mark], stdout=subprocess.PIPE, env=dict(os.environ))
    mounts = Path("/proc/self/mountinfo").read_text()
    server = int(lab.stdout.readline())
    assert wait_until(lambda: len(marked(mark)) >= 4, 20.0)
    os.kill(lab.pid if who == "lab" else server, signal.SIGKILL)
    gap = tier is Tier.LANDLOCK and who == "server"
    gone = wait_until(lambda: not marked(mark), 1.0 if gap else 10.0)
    lab.kill()
    lab.wait()
    lab.stdout.close()
    if gap and not gone:
        for pid in marked(mark):  # a daemon with an environment of its own: the documented gap without a PID namespace
            os.kill(pid, signal.SIGKILL)
    else:
        assert gone
    assert Path("/proc/self/mountinfo").read_text() == mounts


LAB = """
import sys
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Limits, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
from novum.sandbox.job import Tier
with LocalExecutor("siege_program", 1, sandbox=Tier(sys.argv[1])) as executor:
    genes = {"act": "hide", "mark": sys.argv[2]}
    executor.submit(TrialGroup("g", Candidate(genes), (Trial("t", 1),), limits=Limits(seconds=60.0)))
    executor.collect(0.1)
    print(executor._slots[0].pid, flush=True)
    while True:
        executor.collect(1.0)
"""


def test_a_sandbox_that_cannot_be_entered_is_an_executor_error(monkeypatch, tmp_path):
    (tmp_path / "blind_program.py").write_text(
        "import novum.executors.local.sandboxed_child as room\n"
        "def refuse(*_): raise OSError('no walls today')\n"
        "room.enter = refuse\n"
        "def run(group): raise AssertionError('ran without walls')\n"
    )
    monkeypatch.setenv("PYTHONPATH", python_path(tmp_path))
    refusal = pytest.raises(ExecutorError, match=r"(?s)could not be entered|no walls today")
    with LocalExecutor("blind_program", 1, sandbox=Tier.NAMESPACES) as executor, refusal:
        one(executor, "g", {"act": "echo"})


def test_a_group_whose_walls_fail_is_lost_and_never_run(monkeypatch, tmp_path, tier):
    """After a good trial entry at the start."""
    (tmp_path / "late_program.py").write_text(
        "import os\nimport novum.executors.local.sandboxed_child as room\n"
        "real, server, entries = room.enter, os.getpid(), []\n"
        "whole = room.Walls.room\n"
        "def counted(self):\n    entries.append(1)\n    return whole(self)\n"
        "room.Walls.room = counted\n"
        "def enter(*arguments):\n"
        "    if len(entries) > 1: raise OSError('no walls today')\n"
        "    return real(*arguments)\n"
        "room.enter = enter\n"
        "def run(group):\n    open(os.environ['HOME'] + '/ran', 'w')\n    return []\n"
    )
    monkeypatch.setenv("PYTHONPATH", python_path(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with LocalExecutor("late_program", 1, sandbox=tier) as executor:
        try:
            result = one(executor, "g", {"act": "echo"})
        except ExecutorError as error:
            pytest.skip(str(error))
    assert result.outputs[0].failure is OutcomeKind.LOST
    assert "could not be entered" in result.outputs[0].cause
    assert "no walls today" in result.outputs[0].cause
    assert not (tmp_path / "ran").exists()


def marked(mark):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"MARK={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(condition, seconds):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
