"""Where the checkpoints of unfinished trials wait: in the directory of a lab in which its workers say how they do."""

from __future__ import annotations

import os
import time
from pathlib import Path

VARIABLE = "NOVUM_LIVE"
"""The variable of a worker's environment that names the directory."""
SUFFIX = ".checkpoint"
DAYS = 7.0
"""How long a checkpoint waits for its trial."""


def checkpoint_path(name: str) -> Path | None:
    """Where the checkpoint of this name belongs; None where the worker has no directory for it."""
    directory = os.environ.get(VARIABLE, "")
    return Path(directory, f"{name}{SUFFIX}") if directory and name.isalnum() else None


def waits(path: Path) -> bool:
    """Whether a file is a checkpoint that its trial may still go on from. Raises OSError."""
    return path.suffix == SUFFIX and time.time() - path.stat().st_mtime <= DAYS * 86_400
