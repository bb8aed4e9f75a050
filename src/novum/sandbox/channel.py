"""What goes into a sandbox: child_init's code and the job, over a channel that the candidate never has.

It comes from the lab and is marshalled, which the same interpreter reads. Nothing comes back but one word and the
descriptor of the work directory, before any foreign code runs; artefacts are collected from there (collect.py).
"""

from __future__ import annotations
import __future__

import marshal
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from novum.sandbox.job import Job

_FUTURE = "\nfrom __future__ import annotations\n"
_SIMPLE_SWITCHES = {"-c": "code", "-m": "module"}

STUB = """\
import marshal, posix, sys
channel = int(sys.argv[1])
def take(size):
    parts = []
    while size:
        part = posix.read(channel, min(size, 1 << 20))
        if not part: posix._exit(1)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
def load(): return marshal.loads(take(int.from_bytes(take(8), "big")))
here = {"__name__": "child_init", "__builtins__": __builtins__}
exec(load(), here)
plan = load()
here["main"](channel, plan)
del load, take
sys.exit(here["play"](plan))
"""


@cache
def compiled(name: str) -> bytes:
    """Code of a module of this package, for sending inside."""
    source = resources.files("novum.sandbox").joinpath(f"{name}.py").read_text()
    bare = source.replace(_FUTURE, "\n", 1)  # as a flag: the import would cost each run a quarter of a millisecond
    flags = __future__.annotations.compiler_flag
    return marshal.dumps(compile(bare, f"<{name}>", "exec", flags, dont_inherit=True, optimize=2))


def parcel(job: Job, plan: Mapping[str, Any]) -> bytes:
    """Make all that is sent inside: child_init's code, and the job with `plan` added."""
    argv = [sys.executable if job.argv[0] == "python" else job.argv[0], *job.argv[1:]]
    full = {
        "argv": argv,
        "files": dict(job.files),
        "stdin": job.stdin,
        "main": _program(job),
        "passes_directory": False,
        "user": None,
        "keeper": None,
        "walls": None,
        "wall_arguments": (),
        **plan,
    }
    code, data = compiled("child_init"), marshal.dumps(full)
    return b"".join((len(code).to_bytes(8, "big"), code, len(data).to_bytes(8, "big"), data))


def _program(job: Job) -> tuple[str, str] | None:
    """Tell how child_init can run the program in its own interpreter; None when it has to exec it."""
    if job.argv[0] != "python" or len(job.argv) < 2:
        return None
    if (how := _SIMPLE_SWITCHES.get(job.argv[1])) is not None and len(job.argv) > 2:
        return how, job.argv[2]
    return None if job.argv[1].startswith("-") else ("file", job.argv[1])
