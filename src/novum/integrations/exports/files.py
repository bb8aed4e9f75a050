"""Whole files in a directory of the user's, and what each of them was made from."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from novum.core.model.errors import UserError
from novum.version import __version__
from novum.views.index.campaign_index import CampaignIndex


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` make a file beside `path`, then put it there: whole or not at all. Raises UserError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another directory") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def origin(found: CampaignIndex) -> dict[str, str]:
    """Which record an export was made from: the study, the number of events, and the hash of the last."""
    assert found.first and found.last
    return {
        "study": found.state.study.name,
        "arena": found.state.study.arena,
        "seed": str(found.state.study.seed),
        "campaign": found.first.hash,
        "events": str(found.last.seq),
        "head": found.last.hash,
        "written_by": f"novum {__version__}",
    }


def write_origin(directory: Path, found: CampaignIndex) -> None:
    """The origin of the tables in a directory, as origin.json. Raises UserError."""
    text = json.dumps(origin(found), indent=2, ensure_ascii=False) + "\n"
    write_whole(directory / "origin.json", lambda part: _fill(part, text))


def _fill(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8")
