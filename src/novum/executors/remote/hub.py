"""The lab's end of the lines to its machines: lets them in, hands out leases, believes what still holds one.

Everything here runs in one thread, that of an asyncio loop; the lab's own thread speaks to it through
`remote/remote_executor.py`. A line that drops costs nothing by itself: the machine works on, dials again and goes on
with the leases that it has, unless it was silent for too long.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from novum.core.model.hardware import Machine
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, Usage
from novum.executors.local.frames import Frame, pack
from novum.executors.output_checks import NonsenseError, clean, failed
from novum.executors.remote.code_transfer import Code
from novum.executors.remote.credentials import Token
from novum.executors.remote.frame_stream import read_frame
from novum.executors.remote.leases import Lease, Leases
from novum.executors.remote.messages import (
    HELLO_BYTES,
    PROTOCOL,
    GroupSender,
    Hello,
    hello_of,
    outputs_of,
    usage_of,
)  # fmt: skip
from novum.executors.remote.rechecks import Again, Rechecks, digest

BEAT_SECONDS = 2.0
SILENCE_SECONDS = 20.0
"""Without a word from a machine before what it holds is given to others."""
ABSENCE_SECONDS = 600.0
"""That a pair waits for a machine of the kind that its first half ran on."""
GRACE_SECONDS = 30.0
TICK_SECONDS = 1.0
STRANGERS = 32
"""Connections at once that have not said the secret yet; HELLO_SECONDS is what each has for that."""
HELLO_SECONDS = 10.0
REFUSED_SECONDS = 0.5
"""A wrong secret waits that long for its answer."""
MADE_UP = "its outputs did not come out the same on other machines"
REMEMBERED = 10_000
PROBES = (-1, -2)
"""Fences of the two runs of the probe."""

Done = Callable[[GroupResult], None]
Say = Callable[[str], None]


@dataclass(eq=False)
class Line:
    """A connection to a machine that has been let in."""

    machine: Machine
    writer: asyncio.StreamWriter
    sender: GroupSender = field(default_factory=GroupSender)
    probes: dict[int, str] = field(default_factory=dict)
    probe_seconds: float = 0.0
    asked: float = 0.0
    """When it was given the probe, by the lab's clock."""

    def send(self, frame: bytes) -> None:
        """Put a frame on its way."""
        if not self.writer.is_closing():
            self.writer.write(frame)

    def run(self, group: TrialGroup, fence: int) -> None:
        """Send a group."""
        self.send(self.sender.packed(group, fence))

    def part(self, reason: str) -> None:
        """Tell a machine that it is not wanted any more."""
        self.send(pack({"say": "leave", "reason": reason}))
        self.writer.close()


class Hub:
    """Machines, their lines, and the groups between them."""

    def __init__(self, token: Callable[[], Token], code: Code, probe: TrialGroup, done: Done, say: Say) -> None:
        self._token, self._code, self._probe, self._done, self._say = token, code, probe, done, say
        self._leases = Leases(SILENCE_SECONDS, ABSENCE_SECONDS)
        self._lines: dict[str, Line] = {}
        self._given_up: dict[int, Lease] = {}
        self._missed: dict[str, Machine] = {}
        self._strangers, self._session = 0, secrets.token_hex(8)
        self._clock = time.monotonic
        self.rechecks = Rechecks()
        self.here: Mapping[str, Machine] = {}
        self.slots = 1
        self.gone: dict[str, str] = {}

    async def open(self, host: str, port: int, context: ssl.SSLContext) -> asyncio.Server:
        """Listen. Raises OSError."""
        return await asyncio.start_server(
            self._meet, host, port, ssl=context, ssl_handshake_timeout=HELLO_SECONDS, limit=1 << 20
        )

    async def keep_time(self) -> None:
        """Part with machines that are silent, as long as the lab runs."""
        last = self._clock()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock()
            if now - last > 3 * TICK_SECONDS:  # the lab was stopped, or too busy: that is nobody else's fault
                self._leases.shift(now - last)
            last = now
            for name in self._leases.silent(now):
                self._drop(name, f"it has said nothing for {SILENCE_SECONDS:g} s", welcome_back=True)
            for name in self._leases.overdue(now, GRACE_SECONDS):
                self._drop(name, "it holds a group far beyond its limit of wall seconds")
            for group in self._leases.stranded(now):
                self._lose(group, f"no machine of the kind that its pair ran on for {ABSENCE_SECONDS:g} s")

    def submit(self, group: TrialGroup) -> None:
        """Take a group."""
        self._leases.submit(group, self._clock())
        self._grant()

    def drain(self, machine: str, reason: str, *, now: bool) -> bool:
        """Give a machine no more groups; now: take what it has as well. False where there is no such machine."""
        if machine not in self._leases.members:
            return False
        if now or not self._leases.members[machine].leases:
            self._drop(machine, reason)
        else:
            self._leases.members[machine].draining = True
            self.gone[machine] = reason
            self._publish()
        return True

    def close(self) -> None:
        """Send all machines away."""
        for line in list(self._lines.values()):
            line.part("the lab has ended its session")

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = None
        try:
            if hello := await self._let_in(reader, writer):
                line = self._welcome(hello, writer)
                while True:
                    self._hear(line, await read_frame(reader))
        except NonsenseError as error:
            if line:
                self._drop(line.machine.id, f"it talks nonsense: {clean(str(error))}")
        except (OSError, EOFError, asyncio.CancelledError, TimeoutError):
            pass  # the line is down: the machine may dial again
        finally:
            if line and self._lines.get(line.machine.id) is line:
                self._hang_up(line)
            writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Hello | None:
        """Hear who is there; None for somebody who has nothing to do here."""
        if self._strangers >= STRANGERS:
            return None
        self._strangers += 1
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = hello_of(await read_frame(reader, HELLO_BYTES))
                if reason := self._objection(hello):
                    await asyncio.sleep(REFUSED_SECONDS)
                    writer.write(pack({"say": "refused", "reason": reason}))
                    await writer.drain()
                    self._say(f"{hello.machine.id} was refused: {reason}")
                    return None
                return hello
        finally:
            self._strangers -= 1

    def _objection(self, hello: Hello) -> str:
        if not self._token().admits(hello.secret):
            return "its token is not this lab's, or not any more"
        if hello.machine.id in self.rechecks.blamed:
            return MADE_UP
        if hello.protocol != PROTOCOL or hello.code != self._code.novum:
            return (
                f"it runs novum {hello.version} ({hello.code[:12]}), the lab {self._code.version} "
                f"({self._code.novum[:12]}): results of other code cannot be compared; install the lab's version there"
            )
        return ""

    def _welcome(self, hello: Hello, writer: asyncio.StreamWriter) -> Line:
        """Begin a line, in the place of an earlier one of the same machine."""
        name = hello.machine.id
        if earlier := self._lines.pop(name, None):
            earlier.writer.close()
        if member := self._leases.members.get(name):
            member.draining = True  # until it has said what it holds
        line = Line(member.machine if member else hello.machine, writer)
        self._lines[name] = line
        self._leases.heard(name, self._clock())
        line.send(self._code.welcome(self._session, BEAT_SECONDS))
        return line

    def _hear(self, line: Line, frame: Frame) -> None:
        name, said = line.machine.id, frame.header.get("say")
        self._leases.heard(name, self._clock())
        if said == "ready":
            self._ready(line, frame)
        elif said == "unable":
            reason = clean(str(frame.header.get("reason", "")))[:500]
            self._say(f"{name} cannot run trials: {reason}")
            line.part(reason)
        elif said == "ran":
            self._ran(line, frame)
        elif said == "bye":
            self._drop(name, clean(str(frame.header.get("reason", "it was ended there")))[:200])
        elif said != "beat":
            raise NonsenseError(f"it says {str(said)[:40]!r}")

    def _ready(self, line: Line, frame: Frame) -> None:
        """A machine has the code. One that was here before goes on with what it holds."""
        holds = frame.header.get("holds")
        member = self._leases.members.get(line.machine.id)
        if member is None:
            if line.machine.id in self._missed:
                line.machine = self._missed.pop(line.machine.id)
                self._join(line)
            else:
                self._ask(line)
            return
        held = {one for one in holds if isinstance(one, int)} if isinstance(holds, list) else set()
        member.draining = line.machine.id in self.gone
        for fence, lease in member.leases.items():
            if fence not in held:
                line.run(lease.group, fence)
        for fence in held - set(member.leases):
            line.send(pack({"say": "void", "fence": fence}))
        self._publish()
        self._grant()

    def _ask(self, line: Line) -> None:
        """Have a machine run the probe twice."""
        line.probes, line.asked = dict.fromkeys(PROBES, ""), self._clock()
        for fence in PROBES:
            line.run(self._probe, fence)

    def _ran(self, line: Line, frame: Frame) -> None:
        fence = frame.header.get("fence")
        if type(fence) is not int:
            raise NonsenseError("it has run something without a fence")
        line.send(pack({"say": "kept", "fence": fence}))
        if fence in PROBES:
            self._probed(line, fence, frame)
        elif lease := self._leases.end(line.machine.id, fence):
            self._finish(line.machine, lease, frame)
        elif lease := self._given_up.pop(fence, None):
            self._done(replace(self._result(line.machine, lease, frame), late=True))
        member = self._leases.members.get(line.machine.id)
        if member and member.draining and not member.leases and line.machine.id in self.gone:
            self._drop(line.machine.id, self.gone[line.machine.id])
        self._grant()

    def _probed(self, line: Line, fence: int, frame: Frame) -> None:
        """A run of the probe is in; after the second the machine joins."""
        line.probes[fence] = digest(outputs_of(frame, self._probe))
        line.probe_seconds += usage_of(frame, self._clock() - line.asked, line.machine.slots).cpu_seconds
        if not all(line.probes.values()):
            return
        same = len(set(line.probes.values())) == 1
        probe = line.probes[fence] if same else ""
        line.machine = replace(line.machine, probe=probe, probe_seconds=line.probe_seconds)
        self._join(line)

    def _join(self, line: Line) -> None:
        self._leases.join(line.machine, self._clock())
        self.gone.pop(line.machine.id, None)
        self._publish()
        self._grant()

    def _finish(self, machine: Machine, lease: Lease, frame: Frame) -> None:
        result = self._result(machine, lease, frame)
        if self.rechecks.holds(lease.group):
            self._again(self.rechecks.ran(lease.group, machine, result.outputs, result.usage.cpu_seconds))
            for name in self.rechecks.blamed & self._leases.members.keys():
                self._drop(name, MADE_UP)
            return
        self._done(result)
        self._again(self.rechecks.chosen(lease.group, machine, result.outputs, self._leases.alike(machine)))

    def _result(self, machine: Machine, lease: Lease, frame: Frame) -> GroupResult:
        usage = usage_of(frame, self._clock() - lease.began, machine.slots)
        return GroupResult(lease.group, outputs_of(frame, lease.group), usage, machine)

    def _again(self, further: Again | None) -> None:
        if further:
            self._leases.submit(further.group, self._clock(), further.kind, further.avoid)

    def _grant(self) -> None:
        for lease in self._leases.grant(self._clock()):
            self._lines[lease.machine].run(lease.group, lease.fence)

    def _hang_up(self, line: Line) -> None:
        """A line is down: its machine is given nothing until it dials again, and keeps what it has for a while."""
        self._lines.pop(line.machine.id, None)
        if member := self._leases.members.get(line.machine.id):
            member.draining = True
            self._publish()

    def _drop(self, machine: str, reason: str, *, welcome_back: bool = False) -> None:
        """Part with a machine: what it holds is lost, which says nothing of any candidate.

        welcome_back: it may dial again and go on, and what it has run meanwhile is told of as late.
        """
        member = self._leases.members.get(machine)
        self.gone[machine] = reason
        if member:
            if welcome_back:
                self._missed[machine] = replace(member.machine, probe_seconds=0.0)
            for fence, lease in member.leases.items():
                if not self.rechecks.holds(lease.group):
                    self._given_up[fence] = lease
        while len(self._given_up) > REMEMBERED:
            self._given_up.pop(next(iter(self._given_up)))
        for group in self._leases.leave(machine):
            self._lose(group, f"machine {machine} is gone: {reason}", member.machine if member else None)
        if line := self._lines.pop(machine, None):
            if welcome_back:
                line.writer.close()
            else:
                line.part(reason)
        self._publish()
        self._grant()

    def _lose(self, group: TrialGroup, reason: str, machine: Machine | None = None) -> None:
        if self.rechecks.holds(group):
            self.rechecks.dropped(group)
            return
        self._done(GroupResult(group, failed(group, OutcomeKind.LOST, reason), Usage(), machine))

    def _publish(self) -> None:
        """What the lab's thread sees: replaced as a whole, never changed."""
        self.here = {name: one.machine for name, one in self._leases.members.items()}
        self.slots = self._leases.slots
