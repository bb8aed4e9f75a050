"""Scores in a process of its own: the lab asks it over a pipe, and never runs a scorer, nor a sandbox, itself.

The process keeps what `prepare` made for the seeds it has seen, for both sides of a pair, and all candidates of a
screening, share their seeds. It ends with the lab: its standard input closes.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from novum.core.model.trial import ArtefactError, OutcomeKind, Role
from novum.sandbox import SandboxUnavailable

PATIENCE_SECONDS = 300.0
_LENGTH = struct.Struct("!I")


class Scorer:
    """One scoring process, started at the first question; another one after it has died or hung."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._told = ""

    def score(self, bundle: str, seed: int, role: Role, outputs: Mapping[str, bytes]) -> dict[str, Any]:
        """What the bundle's scorer writes of these outputs. Raises ArtefactError, SandboxUnavailable."""
        question = {
            "bundle": "" if bundle == self._told and self._lives() else bundle,
            "seed": seed,
            "role": str(role),
            "outputs": {name: base64.b64encode(data).decode() for name, data in outputs.items()},
        }
        try:
            answer = self._ask(json.dumps(question).encode())
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise ArtefactError(f"the scoring process was lost: {error}") from None
        self._told = bundle
        if "unavailable" in answer:
            raise SandboxUnavailable(str(answer["unavailable"]))
        if "error" in answer:
            raise ArtefactError(str(answer["error"]), OutcomeKind(answer["kind"]))
        said: dict[str, Any] = answer["said"]
        return said

    def close(self) -> None:
        """End the process. Harmless when repeated."""
        process, self._process, self._told = self._process, None, ""
        if process and self._owner == os.getpid():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert pipe
                    pipe.close()

    def _lives(self) -> bool:
        return self._process is not None and self._owner == os.getpid() and self._process.poll() is None

    def _ask(self, question: bytes) -> Any:
        if not self._lives():
            self.close()
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "novum.arenas.program.scoring", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        assert self._process and self._process.stdin and self._process.stdout
        write_frame(self._process.stdin.fileno(), question)
        return json.loads(read_frame(self._process.stdout.fileno(), time.monotonic() + PATIENCE_SECONDS))


def write_frame(fd: int, data: bytes) -> None:
    """Send one message."""
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_frame(fd: int, until: float | None = None) -> bytes:
    """Receive one message. Raises EOFError at the end of the stream, TimeoutError after `until` (monotonic)."""
    (length,) = _LENGTH.unpack(_exactly(fd, _LENGTH.size, until))
    return _exactly(fd, length, until)


def _exactly(fd: int, size: int, until: float | None) -> bytes:
    data = bytearray()
    while len(data) < size:
        if until is not None and not select.select([fd], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError("it took too long")
        if not (more := os.read(fd, min(1 << 20, size - len(data)))):
            raise EOFError("it ended")
        data += more
    return bytes(data)


SCORER = Scorer()
atexit.register(SCORER.close)
