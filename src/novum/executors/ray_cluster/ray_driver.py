"""The driver process: `python -m novum.executors.ray_cluster.ray_driver CONTROL_FD LAB_PID ADDRESS FOLDER`.

The only process beside the actors that imports Ray. Between it and the lab pass frames of JSON and raw bytes: what
Ray unpickles (its own errors, answers of actors) is unpickled here. Ray ends a process that has lost its head node for
a minute, which is this one and not the lab.

Covered: when the lab ends in any way, this process hears its channel end, or sees its parent gone, and ends the
cluster if that is its own. When a daemon of its own cluster dies, it ends as well, and the lab starts another.
Not covered: this process and the lab killed at one instant: Ray's daemons and actors die with their parents, by the
kernel's doing, but the cluster's folder stays (its token opens nothing any more).
"""

from __future__ import annotations

import os
import pickle
import queue
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from novum.executors.local.frames import Frame, pack, take
from novum.executors.ray_cluster.actor_plan import ActorPlan
from novum.executors.ray_cluster.actor_pool import ActorPool, Unusable, Work
from novum.executors.ray_cluster.cluster_start import actor_maker, address_of_cluster, connect, lacking
from novum.sandbox.process_tree import in_session, kill, runs

BEAT_SECONDS = 1.0
_FLUSH_SECONDS = 2.0
_STEP_SECONDS = 0.25
_DAEMONS = ("gcs_server", "raylet")


class LabGoneError(Exception):
    """The channel to the lab has ended."""


def main(control_fd: int, lab: int, address: str, folder: str) -> NoReturn:
    """Serve until the lab is gone. Exit status 1: no cluster could be had, or a daemon of it died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own = Path(folder) if folder else None
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    threading.Thread(target=_follow, args=(lab, own), daemon=True).start()
    status = 1
    driver = Driver(control, address, own)
    try:
        driver.serve()
    except LabGoneError:
        status = 0
    except BaseException as error:
        traceback.print_exc()
        driver.leave(f"{type(error).__name__}: {error}")
    finally:
        _end(own, status)


class Driver:
    """Between the lab's channel and the actors."""

    def __init__(self, control: socket.socket, address: str, own: Path | None) -> None:
        self._control = control
        self._address = address
        self._own = own
        self._buffer = bytearray()
        self._outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._daemons: dict[int, str] = {}
        self._told = 0
        self._sent = 0

    def serve(self) -> NoReturn:
        """Serve for ever. Raises LabGoneError when there is nobody left to serve."""
        threading.Thread(target=self._send, daemon=True).start()
        plan: ActorPlan = pickle.loads(self._first().body)  # noqa: S301 (only the lab holds the other end)
        connect(plan, self._address, self._own)
        self._daemons = _daemons() if self._own else {}
        pool = self._pool(plan)
        self.tell({"event": "ready", "address": address_of_cluster()}, b"")
        try:
            if reason := lacking(plan, self._own is not None):
                raise Unusable(reason)
            self._loop(pool)
        except Unusable as error:
            self.tell({"event": "unusable", "reason": str(error)}, b"")
            while True:
                self._receive()

    def tell(self, header: Mapping[str, Any], body: bytes) -> None:
        """Send to the lab, as soon as it reads."""
        self._told += 1
        self._outbox.put(pack(header, body))

    def leave(self, reason: str) -> None:
        """Say why this process ends, and wait a moment until it is said."""
        self.tell({"event": "ending", "reason": reason}, b"")
        until = time.monotonic() + _FLUSH_SECONDS
        while self._sent < self._told and time.monotonic() < until:
            time.sleep(0.01)

    def _pool(self, plan: ActorPlan) -> ActorPool:
        import ray

        self._bell, bell = socket.socketpair()
        self._bell.setblocking(False)
        bell.setblocking(False)
        own = self._own is not None
        return ActorPool(plan, actor_maker(plan, own), self.tell, bell, lambda one: ray.kill(one), own)

    def _loop(self, pool: ActorPool) -> NoReturn:
        beat = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                heard = {key.fileobj for key, _ in selector.select(0.02 if pool.waits_for_gpus else _STEP_SECONDS)}
                if self._bell in heard:
                    self._bell.recv(1 << 16)
                if self._control in heard:
                    for frame in self._receive():
                        pool.add(Work(frame.header["number"], frame.header["seconds"], frame.body))
                pool.step()
                if time.monotonic() >= beat:
                    beat = time.monotonic() + BEAT_SECONDS
                    self._look()
                    self.tell({"event": "beat"}, b"")

    def _look(self) -> None:
        """Ray notices the death of a daemon late, or waits for it to come back."""
        for pid, name in self._daemons.items():
            if not runs(pid):
                raise RuntimeError(f"the {name} of the Ray cluster ended")

    def _first(self) -> Frame:
        while True:
            for frame in self._receive():
                return frame

    def _receive(self) -> list[Frame]:
        try:
            data = self._control.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            raise LabGoneError
        self._buffer += data
        frames = []
        while (frame := take(self._buffer)) is not None:
            frames.append(frame)
        return frames

    def _send(self) -> None:
        """On a thread of its own: a lab that is busy must not keep actors waiting."""
        with suppress(OSError):
            while True:
                self._control.sendall(self._outbox.get())
                self._sent += 1


def _daemons() -> dict[int, str]:
    """Names of Ray's head and node daemons, started by this process, by their process."""
    return {pid: name for pid in in_session(os.getpid()) if (name := _name(pid)) in _DAEMONS}


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _follow(lab: int, own: Path | None) -> None:
    """Whatever the main thread waits for: a lab that is gone ends this process."""
    while os.getppid() == lab:
        time.sleep(0.3)
    _end(own, 0)


def _end(own: Path | None, status: int) -> NoReturn:
    """End the cluster, if it is this process's own, and this process. A joined cluster ends this driver's actors."""
    if own is not None:
        _kill_cluster()
        shutil.rmtree(own, ignore_errors=True)
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
    os._exit(status)


def _kill_cluster() -> None:
    """Ray's processes are of this one's session. Fork servers have sessions of their own: they hear it, and end."""
    if not sys.platform.startswith("linux"):
        import ray

        ray.shutdown()
        return
    me = os.getpid()
    for _ in range(100):
        if not (left := [pid for pid in in_session(me) if pid != me]):
            return
        kill(left)
        time.sleep(0.01)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
