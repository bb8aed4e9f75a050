"""Content-addressed bytes in files: written once, never changed, named by their SHA-256."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from novum.core.errors import IntegrityError, StorageError


@dataclass(frozen=True)
class FileBlobs:
    """The Blobs port over a directory: `root`/ab/abcdef..."""

    root: Path

    def put(self, data: bytes) -> str:
        """Store once; returns the address. A reader never sees a half-written blob. Raises StorageError."""
        address = hashlib.sha256(data).hexdigest()
        path = self._path(address)
        if path.exists():
            return address
        partial = path.with_name(f".{address}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StorageError(
                f"cannot write to {self.root}: {error.strerror}; free some space and run again"
            ) from error
        return address

    def get(self, address: str) -> bytes:
        """The bytes, checked against the address. Raises IntegrityError."""
        try:
            data = self._path(address).read_bytes()
        except OSError as error:
            raise IntegrityError(f"blob {address[:12]} is missing: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != address:
            raise IntegrityError(f"blob {address[:12]} was altered")
        return data

    def _path(self, address: str) -> Path:
        return self.root / address[:2] / address
