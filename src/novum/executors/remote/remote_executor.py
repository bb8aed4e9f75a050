"""The lab's own thread and its machines: groups go in, results come out, and a hub in another thread talks to them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from novum.core.model.errors import ExecutorError
from novum.core.model.hardware import Machine, Recheck
from novum.core.model.trial import GroupResult, TrialGroup
from novum.executors.remote.code_transfer import collected
from novum.executors.remote.credentials import LabCredentials
from novum.executors.remote.hub import Hub

DEFAULT_ADDRESS = "127.0.0.1:7461"
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Door:
    """Where machines dial in, and who is let in: who knows the token, and runs the same code of Novum (its hash).

    probe: what every machine runs twice before anything else; the same in all sessions of a lab. say: told about
    machines that are refused, a line each.
    """

    address: str
    credentials: LabCredentials
    code: str
    probe: TrialGroup
    say: Callable[[str], None] = lambda _: None

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The two parts of an address such as 127.0.0.1:7461. Raises ExecutorError."""
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ExecutorError(
                f"{self.address!r} is no address to listen at: give HOST:PORT, such as {DEFAULT_ADDRESS}"
            )
        return host.strip("[]"), int(port)


class RemoteExecutor:
    """Runs groups on machines that have joined with `novum worker`; a context manager, used by one thread.

    `slots` follows the machines. A group that its machine does not finish is lost, and may come back a second time
    with `late` set. Raises ExecutorError when the address cannot be listened at.
    """

    isolation = "that of each machine, which the record of its joining tells"
    opens_door = True

    def __init__(
        self,
        program: str,
        workers: int,  # noqa: ARG002 machines say themselves how many they have
        *,
        door: Door,
        requires: Sequence[str] = (),
        depends: Sequence[str] = (),
    ) -> None:
        self._door = door
        self._results: queue.SimpleQueue[GroupResult] = queue.SimpleQueue()
        self._code = collected(program, door.code, requires, depends)
        self._hub: Hub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Event | None = None
        self._problem = ""
        self.address = door.address

    @property
    def slots(self) -> int:
        """Groups that the machines which are here have room for, and one at least."""
        return self._open.slots

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Those that may run groups now."""
        return self._open.here

    def why_gone(self, machine: str) -> str:
        """Why one that was here is not any more."""
        return self._open.gone.get(machine, "its line is down")

    def rechecks(self) -> Sequence[Recheck]:
        """What runs again on other machines have shown since this was asked last."""
        found = self._open.rechecks.found
        taken = found[:]
        del found[: len(taken)]
        return taken

    def drain(self, machine: str, reason: str, *, now: bool = False) -> bool:
        """Give a machine no more groups; now: take away what it has. False where it is not here."""
        answer: Future[bool] = Future()
        self._call(lambda hub: answer.set_result(hub.drain(machine, reason, now=now)))
        return answer.result(_START_SECONDS)

    def submit(self, group: TrialGroup) -> None:
        self._call(lambda hub: hub.submit(group))

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        found: list[GroupResult] = []
        if self._thread and not self._thread.is_alive() and self._results.empty():
            raise ExecutorError(f"the lab has stopped listening for its machines: {self._problem or 'it was closed'}")
        try:
            found.append(self._results.get(timeout=timeout) if timeout > 0 else self._results.get_nowait())
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            return found

    def __enter__(self) -> Self:
        opened: Future[str] = Future()
        self._thread = threading.Thread(target=self._serve, args=(opened,), name="novum-machines", daemon=True)
        self._thread.start()
        try:
            self.address = opened.result(_START_SECONDS)
        except OSError as error:
            raise ExecutorError(
                f"machines cannot be listened for at {self._door.address}: {error.strerror or error}; choose another "
                "--listen HOST:PORT"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Send all machines away and stop listening."""
        if self._loop and self._ended and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(_START_SECONDS)
        self._loop = None

    @property
    def _open(self) -> Hub:
        if self._hub is None:
            raise ExecutorError("this executor is not open: use it as a context manager")
        return self._hub

    def _call(self, act: Callable[[Hub], Any]) -> None:
        hub, loop = self._open, self._loop
        if loop is None:
            raise ExecutorError("this executor is closed")
        loop.call_soon_threadsafe(act, hub)

    def _serve(self, opened: Future[str]) -> None:
        try:
            asyncio.run(self._run(opened))
        except BaseException as error:
            self._problem = f"{type(error).__name__}: {error}"
            if not opened.done():
                opened.set_exception(error)

    async def _run(self, opened: Future[str]) -> None:
        credentials = self._door.credentials
        hub = Hub(lambda: credentials.token, self._code, self._door.probe, self._results.put, self._door.say)
        server = await hub.open(*self._door.host_and_port, credentials.context())
        self._hub, self._loop, self._ended = hub, asyncio.get_running_loop(), asyncio.Event()
        host, port = server.sockets[0].getsockname()[:2]
        opened.set_result(f"{host}:{port}")
        keeping = asyncio.create_task(hub.keep_time())
        ending = asyncio.create_task(self._ended.wait())
        await asyncio.wait((keeping, ending), return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            keeping.result()
        keeping.cancel()
        hub.close()
        server.close()
        await asyncio.sleep(0.05)  # the last words are on their way
