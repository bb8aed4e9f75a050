"""Connections over HTTP that do not become requests: a bound on their time, and on how many are open."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
"""For a whole request to come in, from when the connection is made or from its first byte."""

MOST_CONNECTIONS = 100

_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedConnection(H11Protocol):
    """A connection that is ended when its request takes too long.

    Where too many are open, the one that has kept its request back for the longest makes room for the new one; replies,
    which may last as long as they like, make none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late: asyncio.TimerHandle | None = None
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, if there is room."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            waiting = [one for one in self.connections if isinstance(one, BoundedConnection) and one._late]
            min(waiting, key=lambda one: one._since).end()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the time runs until the request is complete."""
        super().data_received(data)
        if self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR):
            self._arrived()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        super().connection_lost(exc)

    def end(self) -> None:
        """Close a connection whose request has not come."""
        self._arrived()
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE:
            self.transport.write(_TIMEOUT)
        self.connections.discard(self)
        self.transport.close()

    def _wait(self) -> None:
        self._since = self.loop.time()
        self._late = self.loop.call_later(REQUEST_SECONDS, self.end)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
