"""A machine at work for a lab: it dials in, runs what it is given in its own sandboxed processes, and dials again.

Outcomes are kept until the lab has said that it has them. A line that drops, or a lab that is started anew, costs
nothing here: what runs goes on, and is told about when the line is up. The machine trusts the lab whose certificate its
token names, as it runs that lab's programs; what the lab may do here is what `novum worker` may do, so give it a user
of its own.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import platform
import random
import secrets
import signal
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType

from novum.core.model.errors import UserError
from novum.core.model.hardware import Machine
from novum.core.model.trial import GroupResult, TrialGroup
from novum.executors.local.frames import Frame, pack
from novum.executors.output_checks import NonsenseError, clean
from novum.executors.processor import processor
from novum.executors.remote.code_transfer import missing, unpacked
from novum.executors.remote.credentials import Token, fingerprint, machine_context
from novum.executors.remote.frame_stream import read_frame
from novum.executors.remote.messages import PROTOCOL, GroupReader, Hello, pack_ran
from novum.executors.remote.trial_runner import TrialRunner
from novum.version import __version__

CONNECT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 30.0
"""Between two attempts to dial in."""
FAREWELL_SECONDS = 2.0
"""That the lab is given to hear why a machine leaves, before the line is closed."""
ENDED_BY = (signal.SIGTERM, signal.SIGINT)
"""Signals on which a machine says goodbye: a batch system's, before a time limit or for others, and Ctrl-C."""
HELD = 1_000
"""Outcomes that are kept for a lab that does not answer."""

Say = Callable[[str], None]


class Parted(Exception):
    """The lab does not want this machine any more, or never did; the message says why."""


@dataclass(frozen=True)
class Work:
    """Where to dial, and what is offered. give_up: seconds without a lab after which the worker ends.

    cache: where the code of arenas is kept. code: the hash of the Novum that runs here.
    """

    host: str
    port: int
    token: Token
    slots: int
    give_up: float
    cache: Path
    code: str
    name: str = ""


class Worker:
    """One machine, from its first call to the end."""

    def __init__(self, work: Work, say: Say) -> None:
        self._work, self._say = work, say
        self._machine = _described(work)
        self._runner: TrialRunner | None = None
        self._running: dict[int, TrialGroup] = {}
        self._done: dict[int, bytes] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._session = ""
        self._broken: asyncio.Future[str] | None = None
        self._task: asyncio.Task[str] | None = None
        self._ended = ""
        self.finished = 0

    def end(self, reason: str) -> None:
        """Part with the lab, whatever runs; for signal handlers of the thread that runs this.

        From this moment on nothing is reported: who ends a machine often ends its processes with it, and that trials
        die of that says nothing about their candidates.
        """
        if not self._ended:
            self._ended = reason
            if self._task:
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def run(self) -> str:
        """Work until it is ended, sent away, or finds no lab for too long; returns why. Raises ExecutorError."""
        self._broken, self._task = asyncio.get_running_loop().create_future(), asyncio.current_task()
        last, wait = time.monotonic(), 0.2
        try:
            while not self._ended:
                try:
                    await self._dial()
                except Parted as parted:
                    return str(parted)
                except (OSError, EOFError, TimeoutError, ssl.SSLError) as error:
                    problem = str(error) or type(error).__name__
                except NonsenseError as error:
                    problem = f"the lab talks nonsense: {error}"
                if self._writer:
                    last, wait = time.monotonic(), 0.2
                    self._writer.close()
                    self._writer = None
                    self._say(f"the line is down ({problem}); what runs goes on")
                if time.monotonic() - last > self._work.give_up:
                    return f"no lab at {self._work.host}:{self._work.port} for {self._work.give_up:g} s: {problem}"
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            return self._ended
        except asyncio.CancelledError:
            if not self._ended:
                raise
            return self._ended
        finally:
            self._leave()

    async def _dial(self) -> None:
        """One line, from its beginning to its end."""
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                self._work.host, self._work.port, ssl=machine_context(), limit=1 << 20
            )
        try:
            _check(writer, self._work.token)
            secret = self._work.token.secret
            writer.write(Hello(secret, PROTOCOL, self._work.code, __version__, self._machine).packed())
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await read_frame(reader)
            self._answered(answer)
            self._ready(answer, writer)
            self._writer = writer
            await self._listen(reader, writer, float(answer.header["beat"]))
        finally:
            writer.close()

    def _answered(self, answer: Frame) -> None:
        if answer.header.get("say") == "welcome":
            return
        reason = clean(str(answer.header.get("reason", "it did not say why")))
        raise Parted(f"the lab has refused this machine: {reason}")

    def _ready(self, welcome: Frame, writer: asyncio.StreamWriter) -> None:
        """Have the code that the lab runs, and say what is held from before."""
        program = str(welcome.header["program"])
        if lacking := missing([str(one) for one in welcome.header["requires"]]):
            reason = f"its trials need {', '.join(lacking)}, not installed on {self._machine.id}"
            writer.write(pack({"say": "unable", "reason": reason}))
            raise Parted(f"{reason}: pip install that here, or 'novum[arenas]' for the built-in arenas")
        session = str(welcome.header["session"])
        if self._runner is None or session != self._session:  # what another session asked for is asked for again
            self._leave()
            self._session = session
            self._start(program, welcome)
        writer.write(pack({"say": "ready", "holds": [*self._running, *self._done]}))
        for done in self._done.values():
            writer.write(done)
        self._say(f"{self._machine.id} works for the lab at {self._work.host}:{self._work.port}")

    def _start(self, program: str, welcome: Frame) -> None:
        place = unpacked(welcome, self._work.cache)
        if place is not None:
            known = os.environ.get("PYTHONPATH", "")
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(place), known)))
        loop = asyncio.get_running_loop()
        self._runner = TrialRunner(
            program,
            self._work.slots,
            _in_loop(loop, self._ran),
            _in_loop(loop, self._fail),
        )

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, beat: float) -> None:
        assert self._broken
        groups = GroupReader()
        beating = asyncio.create_task(_beat(writer, beat))
        try:
            while True:
                reading = asyncio.ensure_future(read_frame(reader))
                await asyncio.wait((reading, self._broken), return_when=asyncio.FIRST_COMPLETED)
                if self._broken.done():
                    reading.cancel()
                    writer.write(pack({"say": "unable", "reason": self._broken.result()[:500]}))
                    await writer.drain()
                    raise Parted(self._broken.result())
                self._hear(await reading, groups)
        except asyncio.CancelledError:
            reading.cancel()
            await asyncio.wait((reading,))
            await self._take_leave(reader, writer)
            raise
        finally:
            beating.cancel()

    async def _take_leave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say why this machine ends, so that what it runs is given to others at once; the lab then hangs up."""
        writer.write(pack({"say": "bye", "reason": self._ended or "it was ended there"}))
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while await reader.read(1 << 16):
                    pass

    def _hear(self, frame: Frame, groups: GroupReader) -> None:
        said = frame.header.get("say")
        if said == "run":
            fence, group = groups.read(frame)
            if fence not in self._running and fence not in self._done and self._runner:
                self._running[fence] = group
                self._runner.submit(fence, group)
        elif said in ("kept", "void"):
            self._done.pop(int(frame.header["fence"]), None)
        elif said == "leave":
            raise Parted(f"the lab has sent this machine away: {clean(str(frame.header.get('reason', '')))}")

    def _ran(self, fence: int, result: GroupResult) -> None:
        """A group is done: tell the lab, and again when the line is up if it does not hear."""
        self._running.pop(fence, None)
        if self._ended:
            return
        self.finished += 1
        packed = pack_ran(fence, result.outputs, result.usage)
        self._done[fence] = packed
        while len(self._done) > HELD:
            self._done.pop(next(iter(self._done)))
        if self._writer and not self._writer.is_closing():
            self._writer.write(packed)

    def _fail(self, words: str) -> None:
        if self._broken and not self._broken.done():
            self._broken.set_result(words)

    def _leave(self) -> None:
        """End what runs."""
        if self._runner:
            self._runner.close()
        self._runner = None
        self._running.clear()
        self._done.clear()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., None]) -> Callable[..., None]:
    """The same function, run in the loop's thread."""

    def later(*arguments: object) -> None:
        loop.call_soon_threadsafe(call, *arguments)

    return later


async def _beat(writer: asyncio.StreamWriter, seconds: float) -> None:
    while not writer.is_closing():
        writer.write(pack({"say": "beat"}))
        await asyncio.sleep(seconds)


def _check(writer: asyncio.StreamWriter, token: Token) -> None:
    """Go on with nobody but the lab that the token was made by. Raises Parted."""
    tls = writer.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls else b""
    if not hmac.compare_digest(fingerprint(shown or b""), token.fingerprint):
        raise Parted("the token is of another lab: who answers there has another certificate, and was told nothing")


def _described(work: Work) -> Machine:
    packages = {}
    for name in ("numpy", "torch", "numba", "scikit-learn"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    host = (
        "".join(one for one in (work.name or socket.gethostname()) if one.isalnum() or one in "-_.")[:60] or "machine"
    )
    return Machine(
        id=f"{host}-{secrets.token_hex(3)}",
        slots=work.slots,
        system=f"{platform.system()} {platform.machine()}",
        processor=processor()[0][:200],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=packages,
        isolation=_isolation(),
    )


def _isolation() -> str:
    """What this machine can put between a trial and itself, for arenas that ask for it."""
    from novum.sandbox import sandbox_status

    return f"forked processes with limits; sandbox of tier {sandbox_status().tier} for programs"


def parse_address(text: str) -> tuple[str, int]:
    """Host and port. Raises UserError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= 65_535:
        raise UserError(f"--connect {text!r}: give HOST:PORT, such as 127.0.0.1:7461")
    return host.strip("[]"), int(port)


def work(asked: Work, say: Say) -> str:
    """Work for a lab until it ends, or this process is told to; returns why. Raises ExecutorError, UserError.

    For the main thread of a process, as signals arrive there.
    """
    worker = Worker(asked, say)

    def end(number: int, _frame: FrameType | None) -> None:
        worker.end(f"it was ended there by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in ENDED_BY}
    try:
        return asyncio.run(worker.run())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
