"""Compilation by numba, kept on disk between processes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from novum.core.model.errors import StudyError

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = Path(__file__).parent.parent


def compiled(function: F) -> F:
    """`function` as machine code, made at its first call with these types or taken from disk. It must not allocate.

    Floating-point errors give infinities and NaN as in numpy, and no operation is reordered. Numba would count
    references to each array at every call, which takes longer than an instruction of a program: without allocations
    there is nothing to count. Raises StudyError without numba.
    """
    try:
        import numba
    except ImportError:
        raise StudyError(
            'programs are run by compiled code, which needs the package numba: pip install "novum[arenas]"'
        ) from None
    numba.config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]
    options: Any = {"cache": True, "error_model": "numpy", "fastmath": False, "_nrt": False}
    made: F = numba.njit(**options)(function)
    return made


@lru_cache(maxsize=1)
def cache_directory() -> Path:
    """Where compiled code lies: one folder for each state of the sources of all modules that compile.

    A function is compiled into those that call it, also from other modules, which numba's own cache does not notice.
    """
    root = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    digest = hashlib.sha256()
    for path in sorted(_SOURCES.rglob("*kernel*.py")) + sorted((_SOURCES / "symbolic").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return Path(root) / "novum-numba" / digest.hexdigest()[:16]
