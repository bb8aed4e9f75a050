"""The actors of a driver process: which of them runs which group, until when it is believed in, and what is lost.

Every group ends in one answer: what its actor said, or "lost" with the reason. An actor that was given up is never
listened to again, so that nothing is answered twice. Ray retries nothing: the lab decides what is run again.
"""

from __future__ import annotations

import math
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Any

from novum.executors.local.frames import Frame, pack, pack_group, take, unpack_group
from novum.executors.local.slot import GRACE_SECONDS, START_SECONDS
from novum.executors.output_checks import NonsenseError
from novum.executors.ray_cluster.actor_plan import ActorPlan
from novum.sandbox.gpus.gpu_locks import GpuLease
from novum.sandbox.process_tree import kill
from novum.version import __version__

FAILED_STARTS_ALLOWED = 3
_WARM_SECONDS = 3 * START_SECONDS + GRACE_SECONDS
"""The local executor in the actor tries three times to load the program."""
_MOST_WORDS = 700
_WAY_SECONDS = 5.0

Answer = Callable[[Mapping[str, Any], bytes], None]
"""Sends a header and a body to the lab."""


class Unusable(Exception):
    """No actor can be made ready; the message says why and what to do."""


class Stage(StrEnum):
    """How far an actor is. One that is being placed waits for room on the cluster, as long as that takes."""

    PLACING = "placing"
    LOADING = "loading"
    IDLE = "idle"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Work:
    """A group that waits: its number, its limit in wall seconds, the packed group."""

    number: int
    seconds: float
    packed: bytes


@dataclass(eq=False)
class PooledActor:
    """One actor. `deadline`: when its answer is overdue, by the monotonic clock."""

    handle: Any
    stage: Stage = Stage.PLACING
    deadline: float = math.inf
    work: Work | None = None
    lease: GpuLease | None = None
    node: str = ""
    pid: int = 0


@dataclass
class ActorPool:
    """Not for use by several threads. `make` starts an actor; `bell`, a socket, receives a byte with each answer."""

    plan: ActorPlan
    make: Callable[[], Any]
    tell: Answer
    bell: socket.socket
    discard: Callable[[Any], None]
    same_machine: bool
    _actors: list[PooledActor] = field(default_factory=list)
    _waiting: deque[Work] = field(default_factory=deque)
    _answers: SimpleQueue[tuple[PooledActor, Any]] = field(default_factory=SimpleQueue)
    _failed_starts: int = 0

    def add(self, work: Work) -> None:
        """Take a group in."""
        self._waiting.append(work)

    def step(self) -> None:
        """Hear what actors answered, give up those that are overdue, hand out work. Raises Unusable."""
        while True:
            try:
                actor, future = self._answers.get_nowait()
            except Empty:
                break
            if actor in self._actors:
                self._hear(actor, future)
        now = time.monotonic()
        for actor in [one for one in self._actors if one.deadline <= now]:
            self._part(actor, "it did not answer in time")
        self._hand_out()

    @property
    def waits_for_gpus(self) -> bool:
        """Whether an actor is free and a group waits: for GPUs that others hold, which nobody announces."""
        return bool(self._waiting) and any(one.stage is Stage.IDLE for one in self._actors)

    def _hand_out(self) -> None:
        for actor in [one for one in self._actors if one.stage is Stage.IDLE]:
            if not self._waiting:
                return
            pool = self.plan.pool
            lease = pool.take() if pool else None
            if pool and lease is None:
                break
            self._give(actor, self._waiting.popleft(), lease)
        starting = sum(one.stage in (Stage.PLACING, Stage.LOADING) for one in self._actors)
        for _ in range(min(self.plan.workers - len(self._actors), len(self._waiting) - starting)):
            actor = PooledActor(self.make())
            self._actors.append(actor)
            self._ask(actor, actor.handle.who.remote())

    def _give(self, actor: PooledActor, work: Work, lease: GpuLease | None) -> None:
        packed = work.packed
        if lease is not None:
            packed = pack_group(replace(unpack_group(Frame({}, work.packed)), gpus=lease.gpus))
        else:
            packed = pack({}, packed)
        actor.stage, actor.work, actor.lease = Stage.RUNNING, work, lease
        # The local executor there gives up its server after the limit and its grace: its word comes first.
        actor.deadline = time.monotonic() + work.seconds + GRACE_SECONDS + _WAY_SECONDS
        self._ask(actor, actor.handle.run.remote(packed))

    def _ask(self, actor: PooledActor, reference: Any) -> None:
        reference.future().add_done_callback(lambda future: self._ring(actor, future))

    def _ring(self, actor: PooledActor, future: Any) -> None:
        """On a thread of Ray's."""
        self._answers.put((actor, future))
        with suppress(OSError):  # a full bell rings as well
            self.bell.send(b"!")

    def _hear(self, actor: PooledActor, future: Any) -> None:
        if (error := future.exception()) is not None:
            self._part(actor, " ".join(f"{type(error).__name__}: {error}".split()))
            return
        try:
            answer = future.result()
            frame = take(bytearray(answer)) if isinstance(answer, bytes) else None
            if frame is None:
                raise NonsenseError("an answer that is no frame")
            self._understand(actor, frame)
        except (NonsenseError, KeyError, TypeError, ValueError) as error:
            self._part(actor, f"it sent nonsense ({error})")

    def _understand(self, actor: PooledActor, frame: Frame) -> None:
        header = frame.header
        if reason := header.get("unusable"):
            raise Unusable(f"on the node {actor.node}: {reason}")
        if actor.stage is Stage.PLACING:
            self._placed(actor, header)
        elif actor.stage is Stage.LOADING:
            actor.stage, actor.deadline = Stage.IDLE, math.inf
            self._failed_starts = 0
            self.tell({"event": "worker", "node": actor.node, "pid": actor.pid, "tier": str(header["tier"])}, b"")
        else:
            assert actor.work is not None
            worn = bool(header["replace"])
            self.tell({**header, "event": "report", "number": actor.work.number}, frame.body)
            actor.stage, actor.deadline, actor.work = Stage.IDLE, math.inf, None
            self._let_go(actor)
            if worn:
                self._part(actor, "it is worn out")

    def _placed(self, actor: PooledActor, header: Mapping[str, Any]) -> None:
        actor.node, actor.pid = str(header["node"]), int(header["pid"])
        if header["version"] != __version__:
            self._part(
                actor,
                f"the node {actor.node} has novum {header['version']}, and the lab {__version__}: install that version "
                "on every node",
            )
            return
        actor.stage, actor.deadline = Stage.LOADING, time.monotonic() + _WARM_SECONDS
        self._ask(actor, actor.handle.prepare.remote())

    def _part(self, actor: PooledActor, reason: str) -> None:
        """Part with an actor. Its group is lost; one that never became ready counts as a failed start."""
        self._actors.remove(actor)
        self._let_go(actor)
        if self.same_machine and actor.pid:
            kill([actor.pid])  # Ray ends a process by asking it to, and one that is stopped or hangs does not listen
        with suppress(Exception):  # an actor that is dead already, or a head that is
            self.discard(actor.handle)
        if actor.stage in (Stage.IDLE, Stage.RUNNING):
            self.tell({"event": "worker_ended", "node": actor.node, "pid": actor.pid}, b"")
        if actor.work is not None:
            self.tell({"event": "lost", "number": actor.work.number, "cause": reason[:_MOST_WORDS]}, b"")
        if actor.stage in (Stage.PLACING, Stage.LOADING):
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS_ALLOWED:
                raise Unusable(f"{FAILED_STARTS_ALLOWED} starts of an actor in a row failed: {reason[:_MOST_WORDS]}")

    def _let_go(self, actor: PooledActor) -> None:
        if actor.lease is not None:
            actor.lease.release()
            actor.lease = None
