"""Trial groups on a Ray cluster: one warm actor per worker, in each of which Novum's own local executor runs them.

The lab does not import Ray. It starts a driver process, which has a Ray cluster of its own on this machine's loopback
address, or joins the one at RAY_ADDRESS. Frames of JSON and raw bytes pass between the two, and nothing that comes
from the cluster is unpickled in the lab; in the driver, Ray unpickles its own errors and whatever an actor answers.
A program is found on a node as on this machine: installed, in PYTHONPATH, or in the working directory.

Covered: all that the local executor covers, on the node of each actor; actors, nodes, daemons and drivers that die or
hang (their groups are lost, each once); a lab that dies. See README.md beside this package for what is not.
"""

from __future__ import annotations

import os
import pickle
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from packaging.version import Version

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, TrialOutput, Usage
from novum.executors.local.frames import Frame, judge, unpack_report
from novum.executors.output_checks import NonsenseError, clean, failed, with_output
from novum.executors.ray_cluster.actor_plan import ActorPlace, ActorPlan
from novum.executors.ray_cluster.cluster_start import token_is_there
from novum.executors.ray_cluster.driver_link import END_SECONDS, DriverLink

if TYPE_CHECKING:
    from novum.sandbox.gpus.gpu_locks import GpuPool
    from novum.sandbox.job import Tier

_FAILED_STARTS_ALLOWED = 3
_ANSWER_SECONDS = 5.0
_LAST_LINES = 5
_OLDEST = Version("2.60")
_REFUSED = ("InvalidAuthToken", "AuthenticationError")
"""What Ray says of a token that is not the cluster's own: no further start would help."""
_INSTALL = 'pip install "novum[ray]"'


class RayExecutor:
    """Runs groups in `workers` actors of a Ray cluster; a context manager, not for use by several threads.

    The driver starts with the first group. `address`: a cluster to join, as `host:port` or "auto"; without one,
    RAY_ADDRESS, and without that a cluster of this executor's own, which ends with it. Joining takes the user's own
    token. `cores` and `memory_bytes`: what each actor sets aside; `gpus`: each group holds its own, and each actor on
    a cluster that is joined asks Ray for as many. With `sandbox`, groups run behind walls of that tier, or not at all.
    Raises ExecutorError without Ray, without a token, and when three starts in a row fail.
    """

    isolation = "a Ray cluster: limits on a forked process; no sandbox"
    hands_out_gpus = True

    def __init__(
        self,
        program: str,
        workers: int,
        sandbox: Tier | None = None,
        *,
        gpus: GpuPool | None = None,
        address: str | None = None,
        cores: float = 1.0,
        memory_bytes: int = 0,
    ) -> None:
        if workers < 1:
            raise ExecutorError(f"an executor needs at least one worker, not {workers}")
        if sandbox is not None and gpus is not None:
            raise ExecutorError("forked children behind walls see no GPU: leave out the sandbox, or the GPUs")
        self._address = os.environ.get("RAY_ADDRESS", "") if address is None else address
        _check(self._address)
        paths = tuple(str(Path(one).absolute()) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one)
        self._plan = ActorPlan(
            program=program,
            workers=workers,
            sandbox=None if sandbox is None else str(sandbox),
            live=None,
            paths=(*paths, str(Path.cwd())),
            cores=cores,
            memory_bytes=memory_bytes,
            gpus=gpus.each if gpus else 0,
            pool=None if self._address else gpus,
        )
        self._driver: DriverLink | None = None
        self._waiting: deque[tuple[int, TrialGroup]] = deque()
        self._flying: dict[int, TrialGroup] = {}
        self._done: list[GroupResult] = []
        self._places: list[ActorPlace] = []
        self._found = ""
        self._count = 0
        self._failed_starts = 0
        self._unusable = ""
        self._closed = False
        self._owner = os.getpid()

    @property
    def slots(self) -> int:
        """One more than workers, so that a freed actor has its next group while the lab thinks about the last."""
        return self._plan.workers + 1

    @property
    def places(self) -> Sequence[ActorPlace]:
        """The actors that are ready or at work: node, process, and the strongest sandbox tier that works there."""
        return tuple(self._places)

    @property
    def address(self) -> str:
        """The address of the cluster, as `ray status` takes it; empty until it is there."""
        return self._found

    def show_progress_in(self, directory: Path) -> None:
        """Actors have their trials write there how they are doing, on a cluster of this executor's own."""
        if not self._address:
            self._plan = replace(self._plan, live=str(directory.absolute()))

    def submit(self, group: TrialGroup) -> None:
        if self._closed or self._unusable:
            raise ExecutorError(self._unusable or "this executor is closed")
        self._count += 1
        self._waiting.append((self._count, group))
        self._dispatch()

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        until = time.monotonic() + timeout
        while True:
            if self._closed:
                raise ExecutorError("this executor is closed")
            self._hear(0.0 if self._done else until - time.monotonic())
            self._dispatch()
            if self._unusable and not self._done:
                raise ExecutorError(self._unusable)
            if self._done or time.monotonic() >= until:
                finished, self._done = self._done, []
                return finished

    def close(self) -> None:
        """End the driver, its actors and its own cluster. Groups that had not ended are forgotten."""
        if self._closed or os.getpid() != self._owner:
            return  # a fork of the lab does not own the driver
        self._closed = True
        if self._driver is not None:
            self._driver.end(END_SECONDS)
        self._waiting.clear()
        self._flying.clear()
        self._places.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _dispatch(self) -> None:
        """Send waiting groups to a driver that is ready; start one where there is none."""
        if self._driver is None and self._waiting and not self._unusable:
            try:
                self._driver = DriverLink(self._plan, self._address)
            except OSError as error:
                raise ExecutorError(f"no driver process could be started: {error}") from error
        while self._driver is not None and self._driver.ready and self._waiting:
            number, group = self._waiting.popleft()
            self._flying[number] = group
            try:
                self._driver.send({"number": number, "seconds": group.limits.seconds}, pickle.dumps(group))
            except OSError:
                del self._flying[number]
                self._waiting.appendleft((number, group))
                self._lose("it took no work", patience=0)

    def _hear(self, timeout: float) -> None:
        """Wait for the driver, at most `timeout` seconds or until its word is overdue."""
        if (driver := self._driver) is None:
            time.sleep(max(0.0, timeout))
            return
        owes = not driver.ready or bool(self._flying)
        wait = min(timeout, driver.deadline - time.monotonic()) if owes else timeout
        with selectors.DefaultSelector() as selector:
            selector.register(driver.channel, selectors.EVENT_READ)
            heard = bool(selector.select(max(0.0, wait)))
        if not heard:
            if owes and time.monotonic() >= driver.deadline:
                self._lose("it did not answer in time", patience=0)
            return
        try:
            for frame in driver.receive():
                self._understand(driver, frame)
        except (EOFError, OSError):
            self._lose("it ended")
        except (NonsenseError, KeyError, TypeError, ValueError) as error:
            self._lose(f"it sent nonsense ({error})", patience=0)

    def _understand(self, driver: DriverLink, frame: Frame) -> None:
        steps: Mapping[str, Callable[[DriverLink, Frame], None]] = {
            "beat": lambda *_: None,
            "ready": self._ready,
            "worker": self._arrived,
            "worker_ended": self._left,
            "report": self._reported,
            "ending": self._ending,
            "lost": self._lost,
            "unusable": self._given_up,
        }
        steps[frame.header["event"]](driver, frame)

    def _ready(self, driver: DriverLink, frame: Frame) -> None:
        self._found = str(frame.header["address"])
        driver.ready = True
        self._failed_starts = 0

    def _arrived(self, _: DriverLink, frame: Frame) -> None:
        self._places.append(ActorPlace(str(frame.header["node"]), int(frame.header["pid"]), str(frame.header["tier"])))

    def _left(self, _: DriverLink, frame: Frame) -> None:
        gone = str(frame.header["node"]), int(frame.header["pid"])
        self._places = [one for one in self._places if (one.node, one.pid) != gone]

    def _reported(self, _: DriverLink, frame: Frame) -> None:
        group = self._flying.pop(frame.header["number"])
        try:
            report = unpack_report(frame)
            self._done.append(GroupResult(group, judge(report, group), report.usage))
        except (KeyError, TypeError, ValueError) as error:
            self._done.append(GroupResult(group, _lost(group, f"the actor sent nonsense ({error})"), Usage()))

    def _lost(self, _: DriverLink, frame: Frame) -> None:
        group = self._flying.pop(frame.header["number"])
        cause = f"the Ray actor was lost: {frame.header['cause']}"
        self._done.append(GroupResult(group, _lost(group, cause), Usage()))

    def _ending(self, driver: DriverLink, frame: Frame) -> None:
        driver.reason = str(frame.header["reason"])

    def _given_up(self, _: DriverLink, frame: Frame) -> None:
        self._unusable = f"no Ray actor for {self._plan.program!r} became ready: {clean(str(frame.header['reason']))}"

    def _lose(self, reason: str, patience: float = 2.0) -> None:
        """Part with the driver. What it had is lost; one that never became ready counts as a failed start."""
        assert self._driver is not None
        driver, self._driver = self._driver, None
        printed = driver.last_words()
        words = driver.reason or printed
        ended = driver.end(patience)
        for group in self._flying.values():
            cause = with_output(f"the driver of the Ray cluster was lost: {reason} ({ended})", words)
            self._done.append(GroupResult(group, _lost(group, cause), Usage()))
        self._flying.clear()
        self._places.clear()
        if not driver.ready:
            self._failed_starts += 1
            refused = any(sign in printed + words for sign in _REFUSED)
            if refused or self._failed_starts >= _FAILED_STARTS_ALLOWED:
                what = "did not take the token" if refused else f"could not be had in {self._failed_starts} starts"
                where = f"the Ray cluster at {self._address!r}" if self._address else "a Ray cluster on this machine"
                advice = f"{where} {what}: {reason} ({ended}). {_advice(self._address)}"
                last = "" if refused else "\n".join(clean(words).splitlines()[-_LAST_LINES:])
                self._unusable = f"{advice}\n{last}".rstrip()


def _lost(group: TrialGroup, cause: str) -> tuple[TrialOutput, ...]:
    return failed(group, OutcomeKind.LOST, clean(cause))


def _advice(address: str) -> str:
    if address:
        return "`ray status` on this machine says whether it can be reached; the token must be the cluster's own."
    return "Ray takes some 2 GB of memory and room in /dev/shm and the folder of temporary files."


def _check(address: str) -> None:
    """Raise ExecutorError where no driver could ever work: without Ray, or without what it takes to join a cluster."""
    try:
        found = Version(version("ray"))
    except PackageNotFoundError:
        raise ExecutorError(f"the executor 'ray' needs Ray, which is not installed: {_INSTALL}") from None
    if found < _OLDEST:
        raise ExecutorError(f"the executor 'ray' needs Ray {_OLDEST} or newer, not {found}: {_INSTALL}")
    if "://" in address:
        raise ExecutorError(
            f"the address {address!r} is the Ray client's: run the lab on a node of the cluster, and give host:port"
        )
    if address and not token_is_there(os.environ):
        raise ExecutorError(
            f"to join the Ray cluster at {address!r} takes its token: put it into RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH "
            "or ~/.ray/auth_token (`ray get-auth-token` prints it where the cluster was started)"
        )
    host, _, port = address.rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
        except OSError as error:
            raise ExecutorError(f"nothing answers at {address!r}, the address of the Ray cluster: {error}") from None
