"""The outer end of the way from a sandbox to its model: a socket in a private directory, and who may ask how often.

The directory is shown to the sandbox, where it is read-only; nobody else can enter it. Everything that comes in is
bounded: connections, requests, bytes. It ends with the agent.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from novum.agents.agent_task import Call
from novum.agents.model_gateway import Gateway
from novum.agents.proxy_connection import Forwarder
from novum.agents.upstream import connected, hang_up
from novum.core.model.errors import StorageError

AT_ONCE, CONNECTIONS = 8, 64
"""Requests that are answered at a time, and connections that may be open."""

LAST_SECONDS = 1.0
_REFUSALS = 100
_LONGEST_PATH = 100  # of a socket, for the kernel


class Relay:
    """Passes requests on to the gateway within its block, and keeps the record of them."""

    def __init__(self, gateway: Gateway, say: Callable[[str], None]) -> None:
        self.gateway = gateway
        self.environment: Mapping[str, str] = gateway.environment
        self._say = say
        self._calls: list[Call] = []
        self._sent = self._refused = 0
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._live: set[socket.socket] = set()
        self._closing = self._over = False
        self._busy = 0
        self._idle = threading.Condition(self._lock)

    def __enter__(self) -> Relay:
        base = tempfile.gettempdir()
        try:
            self._place = Path(tempfile.mkdtemp(prefix="novum-gateway-", dir=base if len(base) < 60 else "/tmp"))
            inner = self._place / "model"
            inner.mkdir()
            inner.chmod(0o755)
            self.socket = inner / "socket"
            self._server = RelayServer(str(self.socket), self)
            self.socket.chmod(0o666)  # in the sandbox of root the agent is somebody else
        except OSError as error:
            raise StorageError(f"no socket can be made in {base}: {error.strerror or error}") from error
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closing = True
            live = list(self._live)
        self._server.shutdown()
        self._server.server_close()
        for line in live:
            hang_up(line)
        with self._lock:  # what was under way is noted with what is known of it
            self._idle.wait_for(lambda: not self._busy, LAST_SECONDS)
            self._over = True
        shutil.rmtree(self._place, ignore_errors=True)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests so far, those that were refused among them."""
        with self._lock:
            return tuple(self._calls)

    def admits(self) -> bool:
        """Whether one more request may be sent; it is counted."""
        with self._lock:
            if self._closing or self._sent >= self.gateway.most:
                return False
            self._sent += 1
            return True

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A request is being read and answered."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._idle.notify_all()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A place among those whose requests are read and answered."""
        with self._turns:
            yield

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        """A connection to the provider, ended with the block or with the relay. Raises OSError."""
        made = connected(self.gateway)
        line = made.sock  # kept: the connection forgets it when the provider says that it will hang up
        try:
            with self._lock:
                if self._closing:
                    raise ConnectionAbortedError
                self._live.add(line)
            yield made
        finally:
            with self._lock:
                self._live.discard(line)
            made.close()

    def note(self, call: Call, *, refused: bool) -> None:
        """Keep what was asked and answered; of what was refused no more than anybody will read."""
        with self._lock:
            self._refused += refused
            if self._over or (refused and self._refused > _REFUSALS):
                return
            self._calls.append(call)
        tokens = f", {call.usage.input_tokens} + {call.usage.output_tokens} tokens" if any_tokens(call) else ""
        why = f" ({call.note})" if call.note else ""
        self._say(f"model: {call.method} {call.path} {call.status}, {call.received} bytes{tokens}{why}")


def any_tokens(call: Call) -> bool:
    """Whether the provider told how many tokens a request took."""
    return call.usage.input_tokens + call.usage.output_tokens > 0


class RelayServer(socketserver.ThreadingUnixStreamServer):
    """The socket of a relay; each connection has a thread."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS

    def __init__(self, place: str, relay: Relay) -> None:
        self.relay = relay
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(place, Forwarder)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with suppress(ValueError):
                self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Agents that hang up are expected."""
