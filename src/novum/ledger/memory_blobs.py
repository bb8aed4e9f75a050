"""Content-addressed bytes in memory, for what is computed and thrown away."""

from __future__ import annotations

import hashlib

from novum.core.model.errors import IntegrityError


class MemoryBlobs:
    """The Blobs port over a dict."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """Store once."""
        address = hashlib.sha256(data).hexdigest()
        self._data[address] = data
        return address

    def get(self, address: str) -> bytes:
        """The bytes. Raises IntegrityError."""
        if address not in self._data:
            raise IntegrityError(f"blob {address[:12]} is missing")
        return self._data[address]
