"""Files that are made once, with the lab, for their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from novum.core.model.errors import StorageError


def created(path: Path, content: bytes) -> bool:
    """Write a new file (mode 0600), on disk when this returns; False when there is one already. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise StorageError(f"cannot create {path}: {error.strerror}; choose a writable --lab DIR") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {error.strerror}; free some space and run again") from error
    return True
