"""Which limit ended a program, by what it printed before it failed: a word of advice in an outcome, never evidence.

A limit of one process is seen by that process alone: a compiler that is ended for too large a file leaves its caller,
and the parent, with nothing but its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from novum.core.model.trial import OutcomeKind

_READ_CHARACTERS = 8000
_LAST_LINES = 3
_FRAME_INDENT = "  "
OPEN_FILES = 1024

# By field of Bounds; `open_files` is the same for everybody, `gpu_memory` is the GPU's own.
_PATTERNS = {
    "gpu_memory": r"(?:CUDA|HIP)(?: error:)? out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation",
    "file_bytes": r"File size limit exceeded|File too large|\[Errno 27\]|SIGXFSZ|exit (?:status|code) 153",
    "disk_bytes": r"No space left on device|\[Errno 28\]|Disk quota exceeded|out of shared memory|Bus error",
    "processes": r"can't start new thread|Resource temporarily unavailable|\[Errno 11\]|thread constructor failed"
    r"|Thread creation failed|pthread_create failed",
    "open_files": r"Too many open files|\[Errno 24\]",
    "memory_bytes": r"MemoryError|can(?:'|no)t allocate memory|\[Errno 12\]|std::bad_alloc|Unable to allocate"
    r"|[Oo]ut of memory|memory exhausted",
    "cpu_seconds": r"CPU time limit exceeded|SIGXCPU|exit (?:status|code) 152",
}
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()))
_WORDS = {
    "file_bytes": "wrote a file larger than {} bytes",
    "disk_bytes": "its files together need more than {} bytes",
    "processes": "needs more processes or threads than {} processes may have",
    "open_files": "needs more than {} open files",
    "gpu_memory": "needs more memory than its GPU has free{}",
    "memory_bytes": "more than {} bytes",
    "cpu_seconds": "used more than {:g} s of CPU time",
}


def limit_in(message: str) -> str:
    """The limit that an error's message names last, a field of Bounds, "open_files" or "gpu_memory"; "" for none."""
    found = list(_ANY.finditer(message[-_READ_CHARACTERS:]))
    return found[-1].lastgroup or "" if found else ""


def limit_behind(output: str) -> str:
    """The limit that the error at the end of a program's output names, as `limit_in`.

    Read is the message of the last traceback, or the last lines: what was logged on the way ended nothing.
    """
    return limit_in(_last_error(output[-_READ_CHARACTERS:]))


def _last_error(text: str) -> str:
    _, marker, after = text.rpartition("Traceback (most recent call last):")
    lines = after.splitlines() if marker else text.rstrip().splitlines()[-_LAST_LINES:]
    return "\n".join(line for line in lines if not marker or not line.startswith(_FRAME_INDENT))


def limit_words(limit: str, values: Mapping[str, float]) -> str:
    """Say in words that `limit` was met; `values` by name of the limit."""
    known: dict[str, float | str] = {"open_files": OPEN_FILES, "gpu_memory": "", **values}
    return _WORDS[limit].format(known[limit])


def kind_of(limit: str) -> OutcomeKind:
    """How an ending by `limit` counts."""
    kinds = {
        "memory_bytes": OutcomeKind.OUT_OF_MEMORY,
        "gpu_memory": OutcomeKind.OUT_OF_MEMORY,
        "cpu_seconds": OutcomeKind.TIMED_OUT,
    }
    return kinds.get(limit, OutcomeKind.CRASHED)
