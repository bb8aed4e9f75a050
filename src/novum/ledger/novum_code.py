"""Which code this is: a hash over Novum's own source."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from novum.text.canonical_json import digest

PACKAGE = Path(__file__).parents[1]
_SUFFIXES = frozenset({".py", ".toml", ".html", ".in"})


@cache
def code_hash() -> str:
    """SHA-256 over every source file of the package."""
    files = sorted(path for path in PACKAGE.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    return digest(
        [[path.relative_to(PACKAGE).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    )
