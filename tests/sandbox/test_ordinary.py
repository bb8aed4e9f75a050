"""What ordinary programs expect of a system is there, and a limit that ended a program is named."""

import json
import resource
from dataclasses import replace

import pytest
from ordinary_programs import EVERYWHERE, NAMESPACES_ONLY
from targets import MIB, SMALL

from novum.core.model.trial import OutcomeKind
from novum.sandbox import Tier
from novum.sandbox.limits.limit_words import limit_behind, limit_in


def test_ordinary_programs_find_what_they_expect(play, tier):
    programs = EVERYWHERE if tier is not Tier.NAMESPACES else {**EVERYWHERE, **NAMESPACES_ONLY}
    runner = (
        "import json, sys, traceback\nfailed = {}\n"
        "for name, source in json.load(sys.stdin).items():\n"
        "    try: exec(source, {})\n"
        "    except BaseException: failed[name] = traceback.format_exc()\n"
        "print(json.dumps(failed))"
    )
    ended = play(runner, stdin=json.dumps(programs).encode())
    assert ended.kind is None, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {}


ENDED_BY = {
    "file_bytes": "open('big', 'wb').write(bytes(9 << 20))",
    "file_bytes of a child": "import subprocess\n"
    "subprocess.run(['/bin/sh', '-c', 'head -c 9000000 /dev/urandom > big'], check=True)",
    "memory_bytes": "hoard = []\nwhile True: hoard.append(bytearray(8 << 20))",
    "memory_bytes of a library": "class ArrayError(Exception): pass\nraise ArrayError('Unable to allocate 8.00 GiB')",
    "cpu_seconds": "while True: pass",
    "processes": "import threading, time\n"
    "for _ in range(500): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "processes at once": "import os, time\nfor _ in range(40):\n"
    "    if os.fork() == 0: time.sleep(30); os._exit(0)\ntime.sleep(30)",
    "open_files": "held = [open('/dev/null') for _ in range(2000)]",
    "disk_bytes": "import time\nfor n in range(40): open(f'{n}', 'wb').write(bytes(1 << 20)); time.sleep(0.02)",
    "seconds": "import time; time.sleep(60)",
}  # fmt: skip


@pytest.mark.parametrize("name", ENDED_BY)
def test_the_limit_that_ended_a_program_is_named(play, tier, name):
    if name == "processes" and tier is Tier.NONE and resource.getrlimit(resource.RLIMIT_NPROC)[0] < 0:
        pytest.skip("the kernel does not bound root's threads")
    bounds = replace(SMALL, seconds=2.0 if name == "seconds" else 20.0, cpu_seconds=0.5 if "cpu" in name else 20.0)
    ended = play(ENDED_BY[name], bounds)
    assert ended.kind is not None
    assert ended.limit == name.split()[0], ended.cause
    assert ended.cause


def test_what_ends_for_a_reason_of_its_own_names_no_limit(play):
    source = (
        "import sys\nprint('warning: MemoryError before, [Errno 28] No space left on device', file=sys.stderr)\n"
        "try: raise MemoryError\nexcept MemoryError as error: caught = error\nraise ValueError('boom')"
    )
    ended = play(source)
    assert (ended.cause, ended.limit) == ("exit status 1: ValueError: boom", "")
    assert play("import os; os.kill(os.getpid(), 11)").limit == ""


COMPILER = """warning: can't start new thread
Traceback (most recent call last):
  File "/work/main.py", line 3, in <module>
    model(x)
torch._inductor.exc.InductorError: CppCompileError: C++ compile error

Command:
g++ x.h -O3 -o x.h.gch

Output:
/usr/bin/ld: final link failed
collect2: fatal error: ld terminated with signal 25 [File size limit exceeded]
compilation terminated.

Set TORCHDYNAMO_VERBOSE=1 for the internal stack trace
"""


@pytest.mark.parametrize(
    ("output", "limit"),
    [
        (COMPILER, "file_bytes"),
        ("terminate called after throwing an instance of 'std::bad_alloc'\n  what(): std::bad_alloc\n", "memory_bytes"),
        ("libgomp: Thread creation failed: Resource temporarily unavailable\n", "processes"),
        ("RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. out of shared memory.", "disk_bytes"),
        ("subprocess.CalledProcessError: Command 'x' died with <Signals.SIGXFSZ: 25>.", "file_bytes"),
        ("MemoryError\n" + "further line\n" * 5, ""),
        ("", ""),
    ],
)  # fmt: skip
def test_limits_behind_an_output(output, limit):
    assert limit_behind(output) == limit


def test_a_message_of_many_lines_is_read_as_a_whole():
    assert limit_in(COMPILER.partition("torch._inductor")[2]) == "file_bytes"


def test_the_cause_says_what_was_met(play):
    ended = play("open('big', 'wb').write(bytes(9 << 20))")
    assert (ended.kind, ended.limit) == (OutcomeKind.CRASHED, "file_bytes")
    assert ended.cause.startswith(f"wrote a file larger than {8 * MIB} bytes")
