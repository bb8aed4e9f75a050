"""What a lab and a machine say to each other, in the frames of `executors/local/frames.py`: JSON and raw bytes.

The machine begins with `hello`, and the lab answers `welcome` or `refused`. Then the lab says `run` (a group and the
fence of its lease), `kept` (outcomes have arrived), `void` (a lease is not believed any more) and `leave`; the machine
`ran`, `beat` and `bye`. Neither unpickles anything.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from novum.core.model.hardware import Machine
from novum.core.model.trial import OutcomeKind, TrialGroup, TrialOutput, Usage
from novum.executors.local.frames import Frame, pack, pack_outputs, split_outputs
from novum.executors.output_checks import OBSERVABLE, NonsenseError, checked, clean, failed
from novum.text.bounded_json import load_json

PROTOCOL = 1
HELLO_BYTES = 64 << 10
"""The most that somebody may send before the lab knows who it is."""

_GROUP: TypeAdapter[TrialGroup] = TypeAdapter(TrialGroup)
_MACHINE: TypeAdapter[Machine] = TypeAdapter(Machine)
_LONGEST, _PACKAGES, _SLOTS = 200, 1_000, 4_096


@dataclass(frozen=True, slots=True)
class Hello:
    """How a machine presents itself. code: the hash of its Novum."""

    secret: str
    protocol: int
    code: str
    version: str
    machine: Machine

    def packed(self) -> bytes:
        """As a frame."""
        return pack(
            {
                "say": "hello",
                "secret": self.secret,
                "protocol": self.protocol,
                "code": self.code,
                "version": self.version,
                "machine": _MACHINE.dump_python(self.machine, mode="json"),
            }
        )


def hello_of(frame: Frame) -> Hello:
    """What a machine says of itself, held to bounds. Raises NonsenseError."""
    said = frame.header
    try:
        machine = _MACHINE.validate_python(said["machine"], strict=False)
        hello = Hello(str(said["secret"]), int(said["protocol"]), str(said["code"]), str(said["version"]), machine)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise NonsenseError(f"it presents itself in a way that is not understood ({type(error).__name__})") from error
    words = [machine.id, machine.system, machine.processor, machine.python, machine.isolation, machine.probe]
    words += [*machine.packages, *machine.packages.values()]
    if not all(len(word) <= _LONGEST and word.isprintable() for word in words) or len(words) > _PACKAGES:
        raise NonsenseError("it says more of itself than the lab keeps")
    if not machine.id or not 1 <= machine.slots <= _SLOTS:
        raise NonsenseError(f"it has no name, or {machine.slots} slots")
    return hello


class GroupSender:
    """Packs groups for one machine: options, which may hold a whole program, travel once for each connection."""

    def __init__(self) -> None:
        self._sent: set[str] = set()

    def packed(self, group: TrialGroup, fence: int) -> bytes:
        """A group on its way, with the fence of its lease."""
        options = json.dumps(dict(group.options), sort_keys=True).encode()
        address = hashlib.sha256(options).hexdigest()
        first = _GROUP.dump_json(replace(group, options={}))
        rest = b"" if address in self._sent else options
        self._sent.add(address)
        return pack({"say": "run", "fence": fence, "options": address, "size": len(first)}, first + rest)


class GroupReader:
    """Reads groups on the machine's side; keeps the options that have come by their address."""

    def __init__(self) -> None:
        self._options: dict[str, Mapping[str, Any]] = {}

    def read(self, frame: Frame) -> tuple[int, TrialGroup]:
        """Fence and group. Raises KeyError, ValueError."""
        size, address = int(frame.header["size"]), str(frame.header["options"])
        rest = frame.body[size:]
        if rest:
            if hashlib.sha256(rest).hexdigest() != address:
                raise ValueError("the options that came are others than were announced")
            self._options[address] = load_json(rest)
        group = _GROUP.validate_json(frame.body[:size])
        return int(frame.header["fence"]), replace(group, options=self._options[address])


def pack_ran(fence: int, outputs: Sequence[TrialOutput], usage: Usage) -> bytes:
    """What a group has come to."""
    used = [usage.cpu_seconds, usage.wall_seconds, usage.peak_bytes]
    return pack_outputs(outputs, {"say": "ran", "fence": fence, "usage": used})


def outputs_of(frame: Frame, group: TrialGroup) -> tuple[TrialOutput, ...]:
    """The outputs of a group as a machine reports them, checked like those of any worker. Never raises."""
    try:
        entries = frame.header.get("outputs")
        if not isinstance(entries, list):
            raise NonsenseError("it has no outputs")
        return checked(split_outputs(entries, frame.body), group, OBSERVABLE)
    except NonsenseError as error:
        return failed(group, OutcomeKind.INVALID, clean(f"the machine's answer is not valid: {error}"))


def usage_of(frame: Frame, longest: float, slots: int) -> Usage:
    """What a group used as its machine says, and no more than is possible. longest: wall seconds by the lab's clock."""
    try:
        cpu, wall, peak = (max(0.0, float(one)) for one in frame.header["usage"])
        if not all(map(math.isfinite, (cpu, wall, peak))):
            return Usage(longest, longest)
    except (KeyError, TypeError, ValueError):
        return Usage(longest, longest)
    wall = min(wall, longest)
    return Usage(min(cpu, wall * max(slots, 64)), wall, int(min(peak, 1 << 50)))
