"""The code that a campaign's trials depend on, as one hash: results of other code cannot be compared with them."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from novum.core.events.campaign import CampaignOpened, SessionStarted
from novum.core.events.event import Record
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.errors import StudyError
from novum.text.canonical_json import digest


def code_hash(spec: ArenaSpec) -> str:
    """SHA-256 over the package that the worker program stands in (or its one module), and what the spec depends on.

    Of the program's package the files of its own folder count; of a package in `depends` all files, however deep.
    """
    origin = _origins(spec.program, "the worker program")[0]
    files = sorted(origin.parent.glob("*.py")) if "." in spec.program else [origin]
    own = [[file.name, _sha256(file)] for file in files]
    if not spec.depends:
        return digest(own)  # as it has always been, so that labs of earlier versions go on
    return digest([own, *([name, _all_files(name)] for name in sorted(spec.depends))])


def opened_by(records: Iterable[Record]) -> str:
    """Which Novum opened a campaign, in words: its version, and the commit where it ran from a checkout."""
    found = ""
    for record in records:
        if isinstance(record.event, CampaignOpened):
            found = f"novum {record.event.versions.get('novum', 'of an unknown version')}"
        if isinstance(record.event, SessionStarted):
            commit = record.event.provenance.git_commit
            return f"{found}, commit {commit}" if commit else found
    return found


def _origins(name: str, what: str) -> list[Path]:
    """The file of a module, or its folders for a package without one. Raises StudyError."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a package above it is missing, or it is no name at all
        spec = None
    places = [spec.origin] if spec and spec.has_location and spec.origin else []
    places = places or list(spec.submodule_search_locations or () if spec else ())
    if not places:
        raise StudyError(f"{what} {name!r} cannot be found: is its directory in PYTHONPATH?")
    return [Path(place) for place in places]


def _all_files(name: str) -> list[list[str]]:
    """Path and hash of each file of a package, its packages included, or of one module."""
    found = []
    for origin in _origins(name, "what the arena depends on,"):
        top = origin.parent if origin.name == "__init__.py" else origin
        files = sorted(top.rglob("*.py")) if top.is_dir() else [top]
        found += [[file.relative_to(top.parent).as_posix(), _sha256(file)] for file in files]
    return found


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
