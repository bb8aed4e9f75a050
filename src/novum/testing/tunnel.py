"""A tunnel between a worker and a lab that can be cut and mended, as ssh does when a laptop sleeps: a test double."""

from __future__ import annotations

import contextlib
import socket
import threading


class Tunnel:
    """Forwards connections to `address` on loopback to a target, HOST:PORT, two threads for each."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._ends: list[socket.socket] = []
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and let none begin."""
        self._open = False
        for one in self._ends:
            _end(one)
        self._ends.clear()

    def mend(self) -> None:
        """Let connections begin again."""
        self._open = True

    def close(self) -> None:
        """For good."""
        self.cut()
        _end(self._server)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target) if self._open else None
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
