"""One connection of an agent to its model: requests are read whole, checked, sent with the key, and answered."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Protocol, cast
from urllib.parse import parse_qsl, urlencode

from novum.agents.agent_task import Call, Usage
from novum.agents.model_gateway import Gateway
from novum.agents.token_meter import Meter, Scrubber
from novum.agents.upstream import reason, send
from novum.researchers.language.untrusted_text import line

REQUEST_BYTES, REPLY_BYTES = 16 << 20, 64 << 20
LINGER_SECONDS, _LINGER_PARTS = 1.0, 1024
_CHUNK = 1 << 16
_PASSED = ("content-type", "retry-after", "request-id", "x-request-id", "x-should-retry")
_KEYS = frozenset({"key", "api_key", "apikey", "api-key", "access_token", "token"})


class _RefusedError(Exception):
    """A request that is not passed on, or a reply that is not passed back. status: of the answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Passage(Protocol):
    """What a connection asks of the relay that it came in by."""

    @property
    def gateway(self) -> Gateway: ...

    def admits(self) -> bool:
        """Whether one more request may be sent; it is counted."""
        ...

    def at_work(self) -> AbstractContextManager[None]:
        """A request is being read and answered."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """A place among those whose requests are read and answered."""
        ...

    def connection(self) -> AbstractContextManager[http.client.HTTPConnection]:
        """A connection to the provider. Raises OSError."""
        ...

    def note(self, call: Call, *, refused: bool) -> None:
        """Keep what was asked and answered."""
        ...


class PassageServer(Protocol):
    """The server of a connection, as far as the connection knows it."""

    relay: Passage


class Forwarder(BaseHTTPRequestHandler):
    """What a relay does with a connection."""

    protocol_version = "HTTP/1.1"
    timeout = 300.0
    """Seconds that an agent may take for its own bytes, or be silent between two requests."""

    @property
    def relay(self) -> Passage:
        """Whose connection it is."""
        return cast("PassageServer", self.server).relay

    def do_GET(self) -> None:
        """A request."""
        self._serve()

    def do_POST(self) -> None:
        """A request."""
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The relay keeps its own record."""

    def _serve(self) -> None:
        with self.relay.at_work():
            self._began, self._begun, self._noted = time.monotonic(), False, False
            self._sent = self._received = 0
            self._usage = Usage()
            path, _, query = self.path.partition("?")
            try:
                with self.relay.turn():
                    body = self._checked(path)
                    self._sent = len(body)
                    self._forward(path, path + _without_keys(query), body)
            except _RefusedError as error:
                self._refuse(path, error.status, str(error))
            except (OSError, http.client.HTTPException) as error:
                told = "the answer was broken off" if self._begun else "the model cannot be reached"
                self._refuse(path, 502, f"{told}: {reason(error)}")

    def _note(self, path: str, status: int, why: str = "") -> None:
        """Keep the request, before its answer is complete: the agent may end with it."""
        self._noted = True
        seconds = round(time.monotonic() - self._began, 3)
        call = Call(self.command, line(path, 120), status, self._sent, self._received, seconds, self._usage, why)
        self.relay.note(call, refused=bool(why))

    def _checked(self, path: str) -> bytes:
        """The body of a request that may be sent. Raises _RefusedError."""
        lengths = self.headers.get_all("content-length") or ["0"]
        if self.headers.get("transfer-encoding"):
            raise _RefusedError(411, "give the length of the request")
        if len(lengths) > 1 or not lengths[0].isascii() or not lengths[0].isdigit():
            raise _RefusedError(400, "the length of the request is unclear")
        if int(lengths[0][:20]) > REQUEST_BYTES:
            raise _RefusedError(413, f"a request may have {REQUEST_BYTES} bytes")
        if why := self.relay.gateway.refuses(self.command, path):
            raise _RefusedError(403, why)
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise _RefusedError(400, "the request ended early")
        if not self.relay.admits():
            raise _RefusedError(403, f"all {self.relay.gateway.most} requests are used up; --max-requests allows more")
        return body

    def _forward(self, path: str, target: str, body: bytes) -> None:
        """Send it and pass the reply back as it comes."""
        with self.relay.connection() as connection:
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = send(self.relay.gateway, connection, self.command, target, headers, body)
            if 300 <= reply.status < 400:
                raise _RefusedError(502, f"the model's address redirects ({reply.status}), which is not followed")
            if reply.headers.get("content-encoding", "identity").lower() != "identity":
                raise _RefusedError(502, "the reply is compressed, which was not asked for")
            self._answer(path, reply)

    def _answer(self, path: str, reply: http.client.HTTPResponse) -> None:
        kind = reply.headers.get("content-type", "")
        meter, scrubber = Meter(kind.lower()), Scrubber(self.relay.gateway.key)
        chunked = self.request_version == "HTTP/1.1"
        self.send_response_only(reply.status)
        for name in _PASSED:
            if value := reply.headers.get(name):
                self.send_header(name, Scrubber.whole(value, self.relay.gateway.key))
        self.send_header(*(("transfer-encoding", "chunked") if chunked else ("connection", "close")))
        self.end_headers()
        self._begun, self.close_connection = True, True
        while part := reply.read1(_CHUNK):
            self._received += len(part)
            if self._received > REPLY_BYTES:
                raise _RefusedError(502, f"a reply may have {REPLY_BYTES} bytes")
            meter.feed(part)
            self._usage = meter.usage
            self._write(scrubber.feed(part), chunked=chunked)
        if reply.length:
            raise _RefusedError(502, "the reply ended early")
        self._usage = meter.end()
        self._note(path, reply.status)
        self._write(scrubber.end(), chunked=chunked)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = self.headers.get("connection", "").lower() == "close"

    def _write(self, data: bytes, *, chunked: bool) -> None:
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)

    def _refuse(self, path: str, status: int, why: str) -> None:
        """Answer with a reason; where an answer has begun already, it is broken off instead."""
        self.close_connection = True
        if not self._noted:
            self._note(path, status, why)
        if self._begun:
            return
        error = {"type": "novum_gateway", "message": f"novum: {why}"}
        data = json.dumps({"type": "error", "error": error}).encode()
        try:
            self.send_response_only(status)
            for name, value in (("content-type", "application/json"), ("content-length", str(len(data))),
                                ("connection", "close")):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            self._hear_out()
        except OSError:
            return

    def _hear_out(self) -> None:
        """Read what is still being sent, for a while: who hangs up on somebody who talks is not heard."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        for _ in range(_LINGER_PARTS):
            if not self.connection.recv(_CHUNK):
                return


def _without_keys(query: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name.lower() not in _KEYS]
    return f"?{urlencode(kept)}" if kept else ""
