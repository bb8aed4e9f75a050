"""Tables that come with scikit-learn, read where the package lies without importing it."""

from __future__ import annotations

import gzip
import hashlib
from importlib.util import find_spec
from pathlib import Path

from novum.core.model.errors import MissingExtra, UserError


def table_text(name: str, digest: str, needed_by: str) -> str:
    """The text of a table, unpacked. digest: its SHA-256. needed_by: an arena or a task, in words.

    Raises MissingExtra where scikit-learn is not there, and UserError where the table is not the one that is meant.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise MissingExtra(f"{needed_by} needs scikit-learn, which is not installed: pip install 'novum[arenas]'")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "data" / name
    try:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise UserError(f"a table of scikit-learn cannot be read from {path}: {error}") from error
    if hashlib.sha256(text).hexdigest() != digest:
        kind = name.partition(".")[0]
        raise UserError(f"{path} does not hold the {kind} that {needed_by} is about: install another scikit-learn")
    return text.decode("ascii")
