"""What a job gets, and what comes back from an honest one."""

import os
import signal
from dataclasses import replace

import pytest
from targets import MIB, SMALL

from novum.core.model.trial import OutcomeKind
from novum.sandbox import Bounds, Job, SandboxUnavailable, Tier, run
from novum.sandbox.output_text import Log


def test_an_honest_job(play, tier):
    ended = play(
        "import os, sys\n"
        "os.makedirs('out')\n"
        "open('out/copy.bin', 'wb').write(open('data/in.bin', 'rb').read())\n"
        "print(sys.stdin.read(), os.environ['SETTING']); print('to err', file=sys.stderr)",
        files={"data/in.bin": b"\0\xff" * 1000},
        collect=("out/copy.bin",),
        stdin=b"from outside",
        environment={"SETTING": "7"},
    )
    assert (ended.kind, ended.cause, ended.status, ended.tier) == (None, "", 0, tier)
    assert ended.artefacts == {"out/copy.bin": b"\0\xff" * 1000}
    assert (ended.stdout, ended.stderr) == ("from outside 7\n", "to err\n")
    assert 0.005 < ended.usage.cpu_seconds < 5.0
    assert 0.005 < ended.usage.wall_seconds < 20.0
    assert ended.usage.peak_bytes > 5 * MIB


def test_python_as_it_is(play):
    """Arguments, __main__, the path, exit hooks, unflushed files, packages: as when python runs the file."""
    ended = play(
        "import atexit, sys, __main__\n"
        "import helper, numpy\n"
        "atexit.register(print, 'bye')\n"
        "kept = open('kept', 'w'); kept.write('not closed')\n"
        "print(__name__, __main__.kept is kept, sys.argv, helper.NAME, __file__)",
        files={"helper.py": b"NAME = 'helper'"},
        collect=("kept",),
    )
    assert ended.kind is None, ended
    assert ended.artefacts == {"kept": b"not closed"}
    assert ended.stdout == "__main__ True ['main.py'] helper main.py\nbye\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("python", "-c", "import sys; print(sys.argv, sys.path[0])", "x"), "['-c', 'x'] \n"),
        (("python", "-m", "helper", "y"), "helper ['y']\n"),
        (("python", "-I", "-c", "import sys; print(sys.flags.isolated)"), "1\n"),
        (("/bin/sh", "-c", "echo $0 $HOME | cut -c1-3"), "/bi\n"),
    ],
)
def test_ways_to_start(namespaces, argv, said):
    helper = b"import sys\nprint('helper', sys.argv[1:])"
    ended = run(Job(argv, {"helper.py": helper}, limits=SMALL), namespaces)
    assert (ended.kind, ended.stdout) == (None, said), ended.stderr


def test_a_program_that_does_not_exist(namespaces):
    ended = run(Job(("no-such-program",), limits=SMALL), namespaces)
    assert (ended.kind, ended.status) == (OutcomeKind.CRASHED, 127)


def test_traceback_shows_the_candidate_alone(play):
    ended = play("def fail():\n    raise ValueError('boom')\nfail()")
    assert (ended.kind, ended.status, ended.cause) == (OutcomeKind.CRASHED, 1, "exit status 1: ValueError: boom")
    assert ended.stderr.count("File") == 2


def test_exit_status_and_signals(play):
    assert play("raise SystemExit(3)").status == 3
    killed = play("import os; os.kill(os.getpid(), 11)")
    assert (killed.kind, killed.status, killed.cause) == (OutcomeKind.CRASHED, -signal.SIGSEGV, "killed by SIGSEGV")


def test_the_environment_is_what_was_given(play, monkeypatch):
    monkeypatch.setenv("NOVUM_SECRET_KEY", "secret")
    ended = play("import os; print(sorted(os.environ))", environment={"MINE": "1"})
    expected = ["HOME", "LANG", "LOGNAME", "MINE", "PATH", "PWD", "PYTHONHASHSEED", "TMPDIR", "USER"]
    assert ended.stdout == f"{expected}\n"


def test_more_may_be_made_readable(play, tmp_path):
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "data").write_text("train")
    (tmp_path / "labels").write_text("hidden")
    for path in (tmp_path, *tmp_path.parents[:-2], tmp_path / "shown"):
        if path.stat().st_uid == os.getuid() and str(path) != "/tmp":
            path.chmod(0o755)
    source = f"print(open('{tmp_path}/shown/data').read())\nopen('{tmp_path}/shown/new', 'w')"
    ended = play(source, readable=(tmp_path / "shown",))
    assert ended.stdout == "train\n"
    if ended.tier is not Tier.NONE:
        assert ended.kind is OutcomeKind.CRASHED
        assert "Error" in play(f"open('{tmp_path}/labels')", readable=(tmp_path / "shown",)).stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"argv": ()},
        {"argv": ("a\0b",)},
        {"files": {"/etc/x": b""}},
        {"files": {"../x": b""}},
        {"files": {"a/../../x": b""}},
        {"files": {"a\0b": b""}},
        {"files": {"": b""}},
        {"files": {"a": b"", "a/b": b""}},
        {"collect": ("/etc/passwd",)},
        {"collect": ("..",)},
        {"collect": ("a", "a")},
        {"environment": {"A=B": "c"}},
    ],
)
def test_jobs_that_are_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        Job(**{"argv": ("python",), **wrong})


def test_bounds_must_be_positive():
    with pytest.raises(ValueError, match="seconds"):
        Bounds(seconds=0)


def test_no_tier_is_no_run():
    with pytest.raises(SandboxUnavailable, match="without any sandbox"):
        run(Job(("python", "-c", "pass")), Tier.NONE)


def test_output_is_capped_and_cleaned(play):
    source = "print('\\x1b[31mred\\x1b[0m\\x07'); print('x' * 100_000); print('the end')"
    ended = play(source, log_bytes=1000)
    assert ended.stdout.startswith("red\nxxx")
    assert ended.stdout.endswith("xxx\nthe end\n")
    assert "bytes left out" in ended.stdout
    assert len(ended.stdout) < 1100


def test_a_log_keeps_head_and_tail():
    for size in (1, 3, 7, 100):
        log = Log(10)
        text = bytes(range(65, 91)) * 4
        for at in range(0, len(text), size):
            log.feed(text[at : at + size])
        assert log.text() == f"ABCDE\n[... {len(text) - 10} bytes left out ...]\nVWXYZ"
    short = Log(10)
    short.feed(b"0123456789")
    assert short.text() == "0123456789"


def test_a_job_within_a_confined_process(namespaces):
    """As a child of a worker: address space, file size and process limits are lower than the job's own."""
    import resource

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
            resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
            source = "open('x', 'w').write('ok')"
            ended = run(Job(("python", "-c", source), collect=("x",), limits=SMALL), namespaces)
            os.write(writing, repr((ended.kind, ended.artefacts)).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    assert os.waitpid(pid, 0)[1] == 0
    assert os.read(reading, 1000) == repr((None, {"x": b"ok"})).encode()
    os.close(reading)


def test_side_by_side(namespaces):
    from concurrent.futures import ThreadPoolExecutor

    job = Job(("python", "-c", "import time; time.sleep(0.2)"), limits=SMALL)
    with ThreadPoolExecutor(4) as pool:
        endings = list(pool.map(lambda _: run(job, namespaces), range(8)))
    assert [ended.kind for ended in endings] == [None] * 8


def test_large_files_go_in_and_out(namespaces):
    content = os.urandom(3 * MIB)
    job = Job(("python", "-c", "pass"), {"a/b": content}, ("a/b",), limits=replace(SMALL, disk_bytes=8 * MIB))
    assert run(job, namespaces).artefacts == {"a/b": content}


def test_files_that_do_not_fit(namespaces):
    job = Job(("python", "-c", "pass"), {"a": bytes(3 * MIB)}, limits=replace(SMALL, disk_bytes=MIB))
    with pytest.raises(SandboxUnavailable, match="No space left"):
        run(job, namespaces)


def test_what_every_program_needs_of_the_system_is_there(play):
    """Devices can be opened by whoever the program is, and time, temporary files and subprocesses work."""
    code = (
        "import os, subprocess, sys, tempfile, time\n"
        "assert len(open('/dev/urandom', 'rb').read(8)) == 8 and 'null' in os.listdir('/dev')\n"
        "open('/dev/null', 'w').write('x')\n"
        "tempfile.TemporaryFile().write(b'x')\n"
        "assert subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout == b'1\\n'\n"
    )
    ended = play(code)
    assert ended.kind is None, ended.stderr
