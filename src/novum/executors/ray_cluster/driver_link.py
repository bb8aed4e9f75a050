"""The driver process as the lab sees it: its channel, its folder, when it is believed in, and its end.

Not covered: SIGKILL to the driver of a cluster that was joined: Ray ends its actors once it has noticed.
"""

from __future__ import annotations

import os
import pickle
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from novum.executors.local.frames import Frame, pack, take
from novum.executors.ray_cluster.actor_plan import ActorPlan
from novum.executors.ray_cluster.cluster_start import driver_environment, write_token
from novum.sandbox.process_tree import in_session, kill

START_SECONDS = 180.0
JOIN_SECONDS = 60.0
"""A cluster that runs answers within seconds; Ray asks one that does not for minutes."""
SILENCE_SECONDS = 90.0
"""A driver says every second that it lives; one call of Ray's may keep it for a minute while a head is gone."""
END_SECONDS = 10.0
_SEND_SECONDS = 30.0
_TAIL_BYTES = 3000
_LONGEST_FOLDER = 40
"""Ray's sockets lie 60 characters deeper, and the address of a socket has 107."""


class DriverLink:
    """A driver that has been started. `deadline` is when the lab stops believing in it.

    Raises OSError when it cannot be started.
    """

    def __init__(self, plan: ActorPlan, address: str) -> None:
        self.ready = False
        self.reason = ""
        """Why it ends, if it said so."""
        self.deadline = time.monotonic() + (JOIN_SECONDS if address else START_SECONDS)
        self._folder = None if address else _private_folder()
        self._buffer = bytearray()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the driver)
        self.channel, far_end = socket.socketpair()
        self.channel.settimeout(_SEND_SECONDS)
        with far_end:
            try:
                self._process = self._start(address, far_end.fileno())
                self.channel.sendall(pack({}, pickle.dumps(plan)))
            except BaseException:
                self.channel.close()
                self._log.close()
                self._clear()
                raise

    def _start(self, address: str, control: int) -> subprocess.Popen[bytes]:
        words = [str(control), str(os.getpid()), address, str(self._folder or "")]
        return subprocess.Popen(
            [sys.executable, "-m", "novum.executors.ray_cluster.ray_driver", *words],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=driver_environment(os.environ, secrets.token_hex(8), address, self._folder),
            pass_fds=[control],
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the driver."""
        return self._process.pid

    def send(self, header: Mapping[str, Any], body: bytes) -> None:
        """Send a group. Raises OSError when the driver does not take it."""
        self.channel.sendall(pack(header, body))

    def receive(self) -> list[Frame]:
        """Take what has arrived. Raises EOFError or OSError when the driver is gone, NonsenseError when it babbles."""
        data = self.channel.recv(1 << 20)
        if not data:
            raise EOFError
        if self.ready:
            self.deadline = time.monotonic() + SILENCE_SECONDS
        self._buffer += data
        frames = []
        while (frame := take(self._buffer)) is not None:
            frames.append(frame)
        return frames

    def last_words(self) -> str:
        """Return the end of what the driver wrote to its standard error."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def end(self, patience: float) -> str:
        """End it, by force after `patience` seconds; returns how it ended. Its own cluster ends with it."""
        self.channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        if self._process.poll() is None:
            self._process.kill()
        code = self._process.wait()
        if code < 0 and self._folder is not None:
            # Ray's daemons die with it by the kernel's doing; their agents stay.
            for _ in range(100):
                if not (left := in_session(self.pid)):
                    break
                kill(left)
                time.sleep(0.01)
        self._log.close()
        self._clear()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _clear(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _private_folder() -> Path:
    """A new folder for this user alone, with a token in it. Ray's own lies within, for Ray opens that to everybody."""
    place = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="novum-ray-", dir=place if len(place) < _LONGEST_FOLDER - 18 else "/tmp"))
    write_token(folder)
    return folder
