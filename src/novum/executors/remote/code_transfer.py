"""The code of an arena on its way to a machine, by its content: a machine keeps what it has had before.

Novum itself is not sent: a machine has it installed, and the same one, or it is not let in.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from novum.core.model.errors import ExecutorError
from novum.executors.local.frames import Frame, pack
from novum.version import __version__

MOST_BYTES = 16 << 20
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_STAMP = (1980, 1, 1, 0, 0, 0)
"""Equal files make equal archives."""


@dataclass(frozen=True)
class Code:
    """What a machine needs to run a program. archive: a zip of the packages that are not Novum's; may be empty."""

    program: str
    requires: tuple[str, ...]
    archive: bytes
    novum: str
    version: str

    def welcome(self, session: str, beat: float) -> bytes:
        """What a machine is told when it is let in. beat: seconds between two words of it."""
        header = {
            "say": "welcome",
            "session": session,
            "beat": beat,
            "program": self.program,
            "requires": list(self.requires),
            "code": hashlib.sha256(self.archive).hexdigest() if self.archive else "",
        }
        return pack(header, self.archive)


def collected(program: str, novum: str, requires: Sequence[str] = (), depends: Sequence[str] = ()) -> Code:
    """The code of a program and what it depends on, as it is found here. novum: the hash of Novum's own.

    Raises ExecutorError.
    """
    files: dict[str, bytes] = {}
    for name in (program, *depends):
        top = name.partition(".")[0]
        if top != "novum":
            files |= _files(top)
    if (size := sum(map(len, files.values()))) > MOST_BYTES:
        raise ExecutorError(
            f"the code of {program!r} takes {size} bytes, and at most {MOST_BYTES} are sent to machines"
        )
    return Code(program, tuple(requires), _zipped(files), novum, __version__)


def _files(top: str) -> dict[str, bytes]:
    """The Python files of a top-level package or module, by their path below the folder that it stands in."""
    spec = importlib.util.find_spec(top)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if spec and not places and spec.origin and spec.origin.endswith(".py"):
        return {f"{top}.py": Path(spec.origin).read_bytes()}
    if not places:
        raise ExecutorError(f"the module {top!r} cannot be found here, so it cannot be sent to machines")
    root = Path(places[0])
    return {
        f"{top}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def _zipped(files: dict[str, bytes]) -> bytes:
    if not files:
        return b""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content)
    return made.getvalue()


def unpacked(frame: Frame, below: Path) -> Path | None:
    """Where the code of a welcome lies on this machine; None where none is needed. Raises ExecutorError."""
    address = str(frame.header.get("code", ""))
    if not address:
        return None
    if hashlib.sha256(frame.body).hexdigest() != address:
        raise ExecutorError("the code that the lab has sent is other than it announced")
    place = below / address
    if not place.exists():
        making = below / f".{address}.{os.getpid()}"
        _extract(frame.body, making)
        try:
            making.rename(place)
        except OSError:
            if not place.exists():
                raise
    return place


def _extract(archive: bytes, place: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        for one in found.infolist():
            path = PurePosixPath(one.filename)
            module = ".".join(path.with_suffix("").parts)
            if path.is_absolute() or path.suffix != ".py" or not _MODULE.fullmatch(module):
                raise ExecutorError(f"the lab has sent a file of the name {one.filename!r}, which is no module")
            if one.file_size > MOST_BYTES:
                raise ExecutorError(f"{one.filename!r} unpacks to {one.file_size} bytes")
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found.read(one))


def missing(requires: Sequence[str]) -> list[str]:
    """Modules that trials import and that this machine does not have."""
    return [name for name in requires if importlib.util.find_spec(name) is None]
