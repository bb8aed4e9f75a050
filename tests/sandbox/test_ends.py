"""How runs end that do not want to end, and what is left of them: nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from targets import MIB, SMALL

from novum.core.model.trial import OutcomeKind
from novum.sandbox import Job, Tier, run
from novum.sandbox.limits.cgroup import cgroup_support
from novum.sandbox.limits.cpu_counter import open_counter

QUICK = replace(SMALL, seconds=0.6)

STUBBORN = {
    "sleeps": "import time; time.sleep(60)",
    "spins": "while True: pass",
    "ignores signals": "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\ntime.sleep(60)",
    "is stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "hides in daemons": "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        os.setsid()\n"
    "        if os.fork(): os._exit(0)\n        time.sleep(60)\ntime.sleep(60)",
    "kills its group": "import os, signal, time\nsignal.signal(15, signal.SIG_IGN); os.kill(0, 15)\ntime.sleep(60)",
}


def marked(mark: str) -> list[int]:
    """Live processes that have `mark` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.mark.alone
def test_time_out(play):
    """All side by side, each held to its own time."""

    def run_way(way: str) -> tuple:
        mark = f"MARK{os.getpid()}X{time.monotonic_ns()}"
        before = time.monotonic()
        ended = play(STUBBORN[way], QUICK, environment={"MARK": mark})
        took = time.monotonic() - before
        return way, ended.kind, ended.cause, ended.status, took < QUICK.seconds + 5.0, marked(mark)

    with ThreadPoolExecutor(len(STUBBORN)) as pool:
        found = list(pool.map(run_way, STUBBORN))
    assert found == [(way, OutcomeKind.TIMED_OUT, "ran longer than 0.6 s", None, True, []) for way in STUBBORN]


def test_daemons_end_with_the_program(play):
    mark = f"MARK{os.getpid()}X{time.monotonic_ns()}"
    ended = play(STUBBORN["hides in daemons"].removesuffix("time.sleep(60)"), environment={"MARK": mark})
    assert ended.kind is None, ended
    assert marked(mark) == []


def test_cpu_time_of_all_processes(play):
    ended = play("import os\nos.fork()\nwhile True: pass", replace(SMALL, cpu_seconds=0.5, seconds=20.0))
    assert (ended.kind, ended.cause) == (OutcomeKind.TIMED_OUT, "used more than 0.5 s of CPU time")
    assert 0.5 < ended.usage.cpu_seconds < 2.0


def test_cpu_time_is_measured_from_outside(play):
    source = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    until = time.process_time() + 0.4\n    while time.process_time() < until: pass\n"
        "    time.sleep(0.15)\n    os._exit(0)\ntry: os.wait()\nexcept ChildProcessError: pass"
    )
    assert play(source).usage.cpu_seconds > 0.35


def test_memory_of_one_process(play):
    ended = play("hoard = []\nwhile True: hoard.append(bytearray(8 << 20))")
    assert ended.kind is OutcomeKind.OUT_OF_MEMORY


def test_memory_of_the_whole_tree(play):
    source = "import os, time\nos.fork(); os.fork()\nhoard = bytearray(b'x') * (60 << 20)\ntime.sleep(20)"
    ended = play(source)
    assert ended.kind is OutcomeKind.OUT_OF_MEMORY
    assert "processes, allowed are" in ended.cause
    assert ended.usage.wall_seconds < 20


def test_memory_shared_without_a_name(play, tier):
    """Refused where nothing counts it."""
    source = "import mmap, time\nhoard = mmap.mmap(-1, 200 << 20)\nhoard.write(bytes(200 << 20))\ntime.sleep(20)"
    ended = play(source)
    refused = tier is not Tier.NONE and not cgroup_support().parent
    assert ended.kind is (OutcomeKind.CRASHED if refused else OutcomeKind.OUT_OF_MEMORY)


BURNING = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(16):
    if os.fork() == 0:
        until = time.process_time() + 0.03
        while time.process_time() < until: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
"""


BUSY_TO_THE_END = """
import os, time
heard, told = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        while time.process_time() < 0.2: pass
        os.write(told, b"x")
        while True: pass
for _ in range(3): os.read(heard, 1)
"""


@pytest.mark.skipif(open_counter(0) is None, reason="perf events are denied here, and `novum doctor` says so")
def test_cpu_time_of_short_lived_children_that_nobody_waits_for(play):
    assert play(BURNING).usage.cpu_seconds > 0.45


@pytest.mark.skipif(open_counter(0) is None, reason="perf events are denied here, and `novum doctor` says so")
def test_cpu_time_of_what_is_killed(play):
    ended = play(BUSY_TO_THE_END, replace(SMALL, cpu_seconds=60.0))
    assert ended.usage.cpu_seconds > 0.55


@pytest.mark.skipif(open_counter(0) is None, reason="perf events are denied here, and `novum doctor` says so")
def test_cpu_time_of_short_lived_children_is_bounded(play):
    ended = play(BURNING.replace("range(16)", "range(500)"), replace(SMALL, cpu_seconds=0.5))
    assert (ended.kind, ended.limit) == (OutcomeKind.TIMED_OUT, "cpu_seconds")


def test_number_of_processes(play):
    source = "import os, time\nfor _ in range(40):\n    if os.fork() == 0: time.sleep(30); os._exit(0)\ntime.sleep(30)"
    ended = play(source, replace(SMALL, processes=8))
    assert ended.kind is OutcomeKind.CRASHED
    assert ended.usage.wall_seconds < 20


def test_file_size(play):
    ended = play("open('big', 'wb').write(bytes(9 << 20))")
    assert ended.kind is OutcomeKind.CRASHED
    assert ended.cause.startswith(f"wrote a file larger than {8 * MIB} bytes")


def test_disk(play):
    source = "import time\nfor n in range(40): open(f'{n}', 'wb').write(bytes(1 << 20)); time.sleep(0.02)\n"
    ended = play(source)
    assert ended.kind is OutcomeKind.CRASHED
    assert "No space left" in ended.cause or "bytes on disk" in ended.cause


def test_disk_held_by_deleted_files(play):
    source = (
        "import os, time\nheld = []\nfor n in range(8):\n    held.append(open('x', 'wb'))\n"
        "    held[-1].write(bytes(4 << 20)); held[-1].flush(); os.unlink('x')\ntime.sleep(20)"
    )
    assert play(source).kind is OutcomeKind.CRASHED


@pytest.mark.parametrize("folder", [".", "/tmp"])
def test_number_of_files(namespaces, folder):
    """In memory they cost the kernel what no limit of a process counts; on a disk they count as disk."""
    source = f"import os, time\nfor n in range(80_000): os.mkdir(f'{folder}/{{n}}')\ntime.sleep(5)"
    ended = run(Job(("python", "-c", source), limits=SMALL), namespaces)
    assert (ended.kind, ended.cause) == (OutcomeKind.CRASHED, "made more than 50000 files")


def test_a_flood_of_output(play):
    """A gigabyte: the parent stays small, and keeps both ends."""
    source = (
        "import os\nprint('first')\nblock = b'x' * (1 << 20)\nfor _ in range(1024): os.write(1, block)\nprint('last')"
    )
    before = Path("/proc/self/statm").read_text().split()[1]
    ended = play(source, replace(SMALL, seconds=60.0, cpu_seconds=60.0), log_bytes=4096)
    grown = (int(Path("/proc/self/statm").read_text().split()[1]) - int(before)) * 4096
    assert ended.kind is None, ended.cause
    assert ended.stdout.startswith("first\nxxx") and ended.stdout.endswith("xlast\n")
    assert len(ended.stdout) < 5000
    assert grown < 32 * MIB


CALLER = """
import sys
from novum.sandbox import Bounds, Job, Tier, run
from novum.sandbox.tiers.unsafe import run_without_sandbox
job = Job(("python", "-c", sys.argv[2]), limits=Bounds(seconds=60.0), environment={"MARK": sys.argv[3]})
print("started", flush=True)
run_without_sandbox(job) if sys.argv[1] == "none" else run(job, Tier(sys.argv[1]))
"""


def test_nothing_outlives_a_killed_caller(tier, tmp_path):
    """SIGKILL of the process that calls run(): no process, no mount, at tier A no directory, at B none for long."""
    mark = f"MARK{os.getpid()}X{time.monotonic_ns()}"
    mounts = Path("/proc/self/mountinfo").read_text()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    arguments = [str(tier), STUBBORN["hides in daemons"], mark]
    caller = subprocess.Popen([sys.executable, "-c", CALLER, *arguments], stdout=subprocess.PIPE, env=environment)
    assert caller.stdout.readline() == b"started\n"
    assert wait_until(lambda: len(marked(mark)) >= 5, 10.0)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    assert wait_until(lambda: not marked(mark), 2.0)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    left = [path.name for path in tmp_path.iterdir()]
    if tier.name == "NAMESPACES":
        assert left == []
    else:
        again = [sys.executable, "-c", CALLER, str(tier), "pass", mark]
        subprocess.run(again, check=True, env=environment, stdout=subprocess.DEVNULL)
        assert list(tmp_path.iterdir()) == []


def test_no_directory_is_left(play, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    play("import os; os.mkdir('closed', 0o000); os.makedirs('a/b/c')")
    assert list(tmp_path.iterdir()) == []


def wait_until(condition, seconds):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_cpu_time_is_counted_once(play):
    ended = play("import time\nwhile time.process_time() < 0.6: pass\nprint(time.process_time())")
    assert float(ended.stdout) - 0.1 < ended.usage.cpu_seconds < float(ended.stdout) + 0.4
