"""One worker slot as the lab sees it: a warm fork server, its channel, the group in flight, its end.

When a server is killed or hangs, its child dies with it; daemons of the child are found by a mark in their environment
and killed. Not covered: a daemon that called exec with another environment after its server was killed with SIGKILL.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from novum.core.model.trial import TrialGroup
from novum.executors.local.frames import Frame, take
from novum.sandbox.checkpoints.checkpoint_files import VARIABLE
from novum.sandbox.gpus.gpu_locks import GpuLease
from novum.sandbox.process_tree import MARK, kill, marked

START_SECONDS = 300.0
GRACE_SECONDS = 10.0
_SEND_SECONDS = 5.0
_TAIL_BYTES = 3000

_PASSED = ("PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_PASSED_PREFIXES = ("LC_", "PYTHON", "MALLOC_")
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def worker_environment(outer: Mapping[str, str], token: str) -> dict[str, str]:
    """Choose what a worker may see of `outer`: an allow-list, so that no key or password passes by accident.

    Equal string hashes in all servers make sets iterate alike; one thread each keeps workers out of each other's way;
    memory that glibc keeps instead of giving back saves hundreds of page faults in each training step.
    """
    passed = {name: value for name, value in outer.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)}
    return {"PYTHONHASHSEED": "0", **_KEEP_MEMORY, **passed, **dict.fromkeys(_ONE_THREAD, "1"), MARK: token}


class Slot:
    """A server process and what it is doing. `deadline` is when the lab stops believing in it."""

    def __init__(self, program: str, sandbox: str | None = None, live: Path | None = None) -> None:
        self.group: TrialGroup | None = None
        self.lease: GpuLease | None = None
        self.ready = False
        self.deadline = time.monotonic() + START_SECONDS
        self.token = secrets.token_hex(8)
        self._live = {} if live is None else {VARIABLE: str(live)}
        self._buffer = bytearray()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the slot)
        self.channel, far_end = socket.socketpair()
        self.channel.settimeout(_SEND_SECONDS)
        with far_end:
            try:
                self._process = self._start(program, far_end.fileno(), sandbox)
            except BaseException:
                self.channel.close()
                self._log.close()
                raise

    def _start(self, program: str, control: int, sandbox: str | None) -> subprocess.Popen[bytes]:
        arguments = [program, str(control), str(os.getpid()), *([] if sandbox is None else [sandbox])]
        return subprocess.Popen(
            [sys.executable, "-m", "novum.executors.local.fork_server", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**worker_environment(os.environ, self.token), **self._live},
            pass_fds=[control],
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def give(self, group: TrialGroup, packed: bytes, lease: GpuLease | None = None) -> None:
        """Send a group with the GPUs that it holds. Raises OSError when the server does not take it."""
        self.lease = lease
        self.channel.sendall(packed)
        self.group = group
        self.deadline = time.monotonic() + group.limits.seconds + GRACE_SECONDS

    def receive(self) -> list[Frame]:
        """Take what has arrived. Raises EOFError or OSError when the server is gone, NonsenseError when it babbles."""
        data = self.channel.recv(1 << 20)
        if not data:
            raise EOFError
        self.deadline = max(self.deadline, time.monotonic() + GRACE_SECONDS)
        self._buffer += data
        frames = []
        while (frame := take(self._buffer)) is not None:
            frames.append(frame)
        return frames

    def let_go(self) -> None:
        """The GPUs of its group are free again."""
        if self.lease is not None:
            self.lease.release()
            self.lease = None

    def last_words(self) -> str:
        """Return the end of what the server itself wrote to its standard error."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def dismiss(self) -> None:
        """Begin the end: a server that is ready hears this, kills its children and leaves."""
        self.channel.close()
        if not self.ready:
            self._process.kill()

    def end(self, patience: float) -> str:
        """Finish the end, by force after `patience` seconds; returns how the server ended. May be called again."""
        self.dismiss()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        if self._process.poll() is None:
            self._process.kill()
        code = self._process.wait()
        self.let_go()
        if code != 0:
            # Killing daemons is the server's work; one that ended badly may not have done it.
            for _ in range(100):
                if not (left := marked(self.token)):
                    break
                kill(left)
                time.sleep(0.005)
        self._log.close()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
