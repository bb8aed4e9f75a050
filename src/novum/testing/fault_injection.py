"""A worker program that misbehaves on request: a test double for executors, never part of a study.

The genome's `act` names what every trial of the group does; other genes are its parameters.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from novum.core.model.trial import OutcomeKind, Trial, TrialGroup, TrialOutput

_RESULT_FD = 3


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """Do what the genome's `act` says."""
    return ACTS[str(group.candidate.genome["act"])](group)


def _number(group: TrialGroup, name: str, default: float) -> float:
    return float(group.candidate.genome.get(name, default))


def _all(group: TrialGroup, artefact: Callable[[Trial], bytes]) -> list[TrialOutput]:
    return [TrialOutput(trial.id, artefact(trial)) for trial in group.trials]


def echo(group: TrialGroup) -> list[TrialOutput]:
    """Bytes that depend on the seed alone, and the process id as a fact."""
    facts = {"pid": float(os.getpid())}
    return [TrialOutput(trial.id, random.Random(trial.seed).randbytes(16), facts=facts) for trial in group.trials]


def shout(_group: TrialGroup) -> NoReturn:
    """Print terminal escapes, then raise."""
    print("\x1b[31mred\x1b[0m \x07bell")
    raise ValueError("boom")


def exit_silently(_group: TrialGroup) -> NoReturn:
    """End as if all were well, without an answer."""
    os._exit(0)


def exit_loudly(_group: TrialGroup) -> NoReturn:
    """Leave the way scripts do."""
    sys.exit(3)


def segfault(_group: TrialGroup) -> NoReturn:
    """Read address zero."""
    ctypes.string_at(0)
    raise AssertionError("unreachable")


def killed(_group: TrialGroup) -> NoReturn:
    """Die as if the machine had run out of memory, or as if somebody had ended the wrong process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def hang(_group: TrialGroup) -> NoReturn:
    """Say so, ignore polite signals, and wait for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("hanging")
    while True:
        time.sleep(60)


def spin(_group: TrialGroup) -> NoReturn:
    """Use CPU time in two processes at once, for ever."""
    os.fork()
    while True:
        pass


def burn(_group: TrialGroup) -> NoReturn:
    """Meet the CPU limit long before the wall limit, by lowering what is left."""
    resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
    while True:
        pass


def memory(_group: TrialGroup) -> list[TrialOutput]:
    """Allocate in one process until it is refused."""
    hoard = []
    while True:
        hoard.append(bytearray(8 << 20))


def memory_error(_group: TrialGroup) -> NoReturn:
    """Raise what PyTorch raises when an allocation is refused."""
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")


def memory_tree(group: TrialGroup) -> NoReturn:
    """Share `total` bytes among four processes, each of which stays below the limit."""
    os.fork()
    os.fork()
    hoard = bytearray(b"x") * int(_number(group, "total", 400 << 20) / 4)
    while hoard:
        time.sleep(1)
    raise AssertionError("unreachable")


def fork_bomb_mild(_group: TrialGroup) -> NoReturn:
    """Fork 60 processes that wait."""
    for _ in range(60):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
    raise AssertionError("unreachable")


def daemon(group: TrialGroup) -> list[TrialOutput]:
    """Leave a daemon behind (double fork, new session) and return, or with `stay` wait for ever beside it."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if "file" in group.candidate.genome:
                Path(str(group.candidate.genome["file"])).write_text(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    while _number(group, "stay", 0):
        time.sleep(1)
    time.sleep(0.1)
    return echo(group)


def big_file(group: TrialGroup) -> list[TrialOutput]:
    """Write 8 MiB to `file`."""
    with Path(str(group.candidate.genome["file"])).open("wb") as target:
        for _ in range(8):
            target.write(bytes(1 << 20))
    return echo(group)


def flood(_group: TrialGroup) -> NoReturn:
    """Print 64 MiB, then raise."""
    for _ in range(1024):
        print("x" * 65535)
    raise ValueError("hoarse")


def huge(group: TrialGroup) -> list[TrialOutput]:
    """Deliver an artefact over the cap."""
    return _all(group, lambda _: bytes(80 << 20))


def huge_garbage(_group: TrialGroup) -> NoReturn:
    """Pour bytes into the answer channel without end."""
    while True:
        os.write(_RESULT_FD, bytes(1 << 20))


def garbage_frame(group: TrialGroup) -> NoReturn:
    """Write the `hex` bytes of a forged answer past the child's own code."""
    os.write(_RESULT_FD, bytes.fromhex(str(group.candidate.genome["hex"])))
    os._exit(0)


def twice(group: TrialGroup) -> list[TrialOutput]:
    """Fork and return in both processes."""
    os.fork()
    return echo(group)


def nonsense(_group: TrialGroup) -> Any:
    """Return a sentence."""
    return "all is well, score 1.0"


def wrong_ids(group: TrialGroup) -> list[TrialOutput]:
    """Answer in reverse order."""
    return echo(group)[::-1]


def infinite_fact(group: TrialGroup) -> list[TrialOutput]:
    """Report an infinite loss."""
    return [TrialOutput(trial.id, b"", facts={"loss": float("inf")}) for trial in group.trials]


def claim_lost(group: TrialGroup) -> list[TrialOutput]:
    """Blame the executor."""
    return [TrialOutput(trial.id, failure=OutcomeKind.LOST) for trial in group.trials]


def diverge(group: TrialGroup) -> list[TrialOutput]:
    """Report divergence, as an honest program does."""
    return [TrialOutput(trial.id, failure=OutcomeKind.DIVERGED, cause="loss is nan") for trial in group.trials]


def sleep(group: TrialGroup) -> list[TrialOutput]:
    """Sleep `seconds`, then say when (monotonic clock): start and end as facts."""
    start = time.monotonic()
    time.sleep(_number(group, "seconds", 0.2))
    facts = {"start": start, "end": time.monotonic()}
    return [TrialOutput(trial.id, b"", facts=facts) for trial in group.trials]


def look(group: TrialGroup) -> list[TrialOutput]:
    """Deliver the environment, including that of the processes above, and the open file descriptors."""
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in ("self", os.getppid())]
    descriptors = []
    for number in range(256):
        try:
            descriptors.append(f"{number}={Path(f'/proc/self/fd/{number}').readlink()}")
        except OSError:
            continue
    seen = "\n".join([repr(dict(os.environ)), *map(repr, environments), *descriptors])
    return _all(group, lambda _: seen.encode())


def kill_server(_group: TrialGroup) -> NoReturn:
    """Take the server down, and the child with it."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
    raise AssertionError("unreachable")


ACTS: dict[str, Callable[[TrialGroup], Sequence[TrialOutput]]] = {
    act.__name__: act
    for act in (
        echo, shout, exit_silently, exit_loudly, segfault, killed, hang, spin, burn, memory, memory_error, memory_tree,
        fork_bomb_mild, daemon, big_file, flood, huge, huge_garbage, garbage_frame, twice, nonsense, wrong_ids,
        infinite_fact, claim_lost, diverge, sleep, look, kill_server,
    )
}  # fmt: skip
