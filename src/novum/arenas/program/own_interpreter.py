"""The user's own interpreter: a virtual environment, conda or uv's, found by its files alone, without running it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from novum.core.model.errors import StudyError


@cache
def prefixes(python: str) -> tuple[str, ...]:
    """Directories that an interpreter needs: its environment, and the installation that this was made from.

    Raises StudyError for one that is not there.
    """
    path = Path(python)
    if not path.is_file() or not os.access(path, os.X_OK):
        raise StudyError(f"program.python: {python} is no interpreter: give the path of python in your environment")
    found = [path.parent.parent]
    home = _home(path.parent.parent / "pyvenv.cfg")
    if home is not None:
        found += [home.parent, home.resolve().parent]
    found.append(path.resolve().parent.parent)
    return tuple(dict.fromkeys(str(one) for one in found if one.is_dir()))


def environment(python: str) -> dict[str, str]:
    """What a program finds of its environment."""
    folder = Path(python).parent
    found = {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin"}
    if (folder.parent / "pyvenv.cfg").exists():
        found["VIRTUAL_ENV"] = str(folder.parent)
    elif (folder.parent / "conda-meta").is_dir():
        found["CONDA_PREFIX"] = str(folder.parent)
    return found


def _home(configuration: Path) -> Path | None:
    """Where the interpreter of a virtual environment comes from."""
    try:
        lines = configuration.read_text(errors="replace").splitlines()
    except OSError:
        return None
    pairs = (line.partition("=") for line in lines)
    values = {key.strip(): value.strip() for key, _, value in pairs}
    home = values.get("home")
    return Path(home) if home else None
