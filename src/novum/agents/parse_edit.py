"""From the artefact of a sandbox to an edit, believing nothing of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from novum.agents.agent_task import AgentFailed, Edit
from novum.agents.sandbox_main import MOST_BYTES, MOST_FILES, MOST_NAMES
from novum.researchers.language.untrusted_text import line
from novum.text.bounded_json import JsonBounds, load_json

ARTEFACT_BYTES = 2 * MOST_BYTES + (1 << 20)
"""JSON takes up to six bytes for a character; texts that need more than two on average are refused."""

_PATH, _REASON = 400, 200
_BOUNDS = JsonBounds(size=ARTEFACT_BYTES, values=200_000, containers=1000)


def read(data: bytes) -> Edit:
    """The edit in an artefact. Raises AgentFailed."""
    try:
        given = load_json(data, _BOUNDS)
        files = {str(path): text for path, text in dict(given["files"]).items()}
        if not all(isinstance(text, str) for text in files.values()):
            raise TypeError
        refused = {_name(path): _words(why) for path, why in dict(given["refused"]).items()}
        edit = Edit(
            status=_status(given["status"]),
            files=files,
            deleted=tuple(str(one) for one in list(given["deleted"])),
            refused=refused,
            left_out=tuple(_name(one) for one in list(given["left_out"])[:MOST_NAMES]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AgentFailed("what it left cannot be read: something in the sandbox wrote over it") from None
    if len(edit.files) + len(edit.refused) + len(edit.deleted) > 2 * MOST_FILES:
        raise AgentFailed(f"it left more than {MOST_FILES} files: only the files of the program may change")
    return edit


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -256 < value < 256:
        raise TypeError
    return value


def _name(path: Any) -> str:
    return line(str(path), _PATH) or "?"


def _words(why: Any) -> str:
    return line(str(why), _REASON)


def named(paths: Collection[str], most: int = 8) -> str:
    """Paths for people, clean and not too many."""
    shown = [_name(path) for path in sorted(paths)[:most]]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
