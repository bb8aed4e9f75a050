"""The program above an agent in its sandbox: run the command, compare the files, leave one artefact.

Sent inside as a file, never run by the lab; standard library only. What it writes is no more to be believed than the
agent, which runs under the same user and may do to it what it likes. Where there is a gateway to a model it passes
the bytes of a port on the sandbox's own loopback to the gateway's socket and back.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

PROGRAM, PLAN, STUDY, HOME, TEMPORARY, EDIT = "run.py", "plan.json", "study", "home", "temporary", "edit.json"
"""Names in the work directory. The agent starts in STUDY."""

PORT = 8123
MOST_FILES, MOST_BYTES, MOST_NAMES = 2000, 4 << 20, 20
_DROPPINGS = frozenset({"__pycache__", "node_modules", "venv"})
_CHUNK, _CONNECTIONS = 1 << 16, 64


def main() -> int:
    """Play the plan; the exit status is 0 when an artefact was left."""
    work = Path.cwd()
    plan = json.loads((work / PLAN).read_text())
    study = work / STUDY
    before = {name: (study / name).read_bytes() for name in plan["files"]}
    if plan["socket"]:
        forward(plan["socket"])
    status = run(plan["command"], work, study / plan["brief"])
    found = {"status": status, **Comparison(study, before).found()}
    fd = os.open(work / EDIT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(found, file)
    return 0


def run(command: list[str], work: Path, brief: Path) -> int:
    """Run the command in the study's directory, the brief on its standard input; its exit status."""
    environment = dict(os.environ)
    for name, folder in (("HOME", HOME), ("TMPDIR", TEMPORARY)):
        if environment.get(name, str(work)) == str(work):
            (work / folder).mkdir(exist_ok=True)
            environment[name] = str(work / folder)
    words = [word.replace("{brief}", str(brief)) for word in command]
    words[0] = sys.executable if words[0] == "python" else words[0]
    try:
        return subprocess.run(
            words, cwd=brief.parent, env=environment, stderr=subprocess.STDOUT, check=False
        ).returncode
    except OSError as error:
        print(f"{words[0]}: {error.strerror}", flush=True)
        return 127


class Comparison:
    """What is in a directory now, compared with the files that were there before."""

    def __init__(self, study: Path, before: dict[str, bytes]) -> None:
        self._study = study
        self._before = before
        self._room = MOST_BYTES
        self._refused: dict[str, str] = {}
        self._left_out: list[str] = []

    def found(self) -> dict[str, Any]:
        """Changed and new texts, deleted paths, what is no plain text and why, and what is left out."""
        files: dict[str, str] = {}
        there = set()
        for name, mode in self._walk():
            there.add(name)
            if len(files) + len(self._refused) >= MOST_FILES:
                self._refused[name] = f"one of more than {MOST_FILES} files"
                break
            try:
                content = self._read(name, mode)
                if content != self._before.get(name):
                    files[name] = content.decode()
            except (OSError, ValueError) as error:
                self._refused[name] = "not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        deleted = [name for name in self._before if name not in there and name not in self._refused]
        left_out = self._left_out[:MOST_NAMES]
        return {"files": files, "deleted": deleted, "refused": self._refused, "left_out": left_out}

    def _walk(self) -> Iterator[tuple[str, int]]:
        """Every file by its relative path, what tools leave behind left out."""
        folders = [""]
        while folders and len(folders) <= MOST_FILES:
            folder = folders.pop()
            try:
                entries = sorted(os.scandir(self._study / folder), key=lambda entry: entry.name)
            except OSError as error:
                self._refused[folder] = f"a folder that cannot be read ({error.strerror})"
                continue
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if self._dropping(name, entry.name):
                    self._left_out.append(name)
                elif stat.S_ISDIR(mode):
                    folders.append(name)
                else:
                    yield name, mode

    def _dropping(self, name: str, last: str) -> bool:
        """Whether tools made it for themselves. What the program itself has is never left out."""
        if any(known == name or known.startswith(name + "/") for known in self._before):
            return False
        return last.startswith(".") or last in _DROPPINGS or last.endswith(".pyc")

    def _read(self, name: str, mode: int) -> bytes:
        """Raises OSError, ValueError with the reason for what is no small plain file."""
        if not stat.S_ISREG(mode):
            raise ValueError("a link" if stat.S_ISLNK(mode) else "no plain file")
        fd = os.open(self._study / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            content = file.read(self._room + 1)
        if content == self._before.get(name):
            return content
        if not content.strip() and self._before.get(name, b"").strip():
            raise ValueError("empty: all of it was taken out, or writing it failed, as beyond the size of a file here")
        if len(content) > self._room:
            raise ValueError(f"too large: all changes together may have {MOST_BYTES} bytes")
        self._room -= len(content)
        return content


def forward(place: str) -> None:
    """Listen on the loopback, and connect whoever comes to the socket at `place`."""
    listener = socket.create_server(("127.0.0.1", PORT), backlog=_CONNECTIONS)
    free = threading.BoundedSemaphore(_CONNECTIONS)

    def serve() -> None:
        while True:
            near, _ = listener.accept()
            free.acquire()
            threading.Thread(target=connect, args=(near,), daemon=True).start()

    def connect(near: socket.socket) -> None:
        try:
            with near, socket.socket(socket.AF_UNIX) as far:
                far.connect(place)
                back = threading.Thread(target=pump, args=(far, near), daemon=True)
                back.start()
                pump(near, far)
                back.join()
        except OSError:
            pass  # the gateway has ended, or takes no more
        finally:
            free.release()

    threading.Thread(target=serve, daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on all bytes, and then the end."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main())
