"""Content-addressed bytes in files: written once, never changed, named by their SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from novum.core.model.errors import IntegrityError, StorageError


@dataclass(frozen=True)
class FileBlobs:
    """The Blobs port over a directory: `root`/ab/abcdef...

    A blob is on disk for good after `sync`, which the journal calls before it commits the events that name it.
    """

    root: Path
    _unsynced: set[Path] = field(default_factory=set, repr=False, compare=False)

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
            self._unsynced.add(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StorageError(
                f"cannot write to {self.root}: {error.strerror}; free some space and run again"
            ) from error
        return address

    def sync(self) -> None:
        """Wait until all blobs so far, and their names, would survive a power cut. Raises StorageError."""
        folders = {path.parent for path in self._unsynced} | ({self.root} if self._unsynced else set())
        try:
            for path in (*self._unsynced, *folders):
                handle = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        except OSError as error:
            raise StorageError(
                f"cannot write to {self.root}: {error.strerror}; free some space and run again"
            ) from error
        self._unsynced.clear()

    def addresses(self) -> Iterator[str]:
        """All addresses that are stored."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from (file.name for file in sorted(folder.iterdir()) if not file.name.startswith("."))

    def size(self, address: str) -> int:
        """Bytes of a blob."""
        return self._path(address).stat().st_size

    def drop(self, address: str) -> int:
        """Remove a blob; returns its size in bytes."""
        size = self.size(address)
        self._path(address).unlink()
        return size

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
