"""A scripted provider of models on the loopback, which writes down what reaches it, and a proxy in front of it."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 100, "completion_tokens": 20}
EVENTS = (
    {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}},
    },
    {"type": "content_block_delta", "delta": {"text": "hello"}},
    {"type": "message_delta", "usage": {"output_tokens": 9}},
)


@dataclass
class Came:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """Where it is, what came, and how it answers: `act` names a method of the handler. broken: what clients broke."""

    url: str
    came: list[Came] = field(default_factory=list)
    broken: list[BaseException | None] = field(default_factory=list)
    act: str = "reply"
    text: str = "2.0"
    ended: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        up = self.server.up
        up.came.append(Came(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        getattr(self, up.act)()

    def do_GET(self) -> None:
        self.do_POST()

    def reply(self) -> None:
        message = {"role": "assistant", "content": self.server.up.text}
        found = {"choices": [{"message": message}], "usage": USAGE, "sent": dict(self.headers.items())}
        self._send(200, json.dumps(found).encode(), {"Content-Type": "application/json", "Set-Cookie": "a=b"})

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        whole = b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in EVENTS)
        for at in range(0, len(whole), 11):
            part = whole[at : at + 11]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def redirect(self) -> None:
        self._send(307, b"", {"Location": "http://127.0.0.1:1/elsewhere"})

    def squeezed(self) -> None:
        self._send(200, b"zzzz", {"Content-Encoding": "gzip"})

    def cut_off(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)
        self.close_connection = True

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.server.up.ended.is_set():
            self.wfile.write(b"x" * (1 << 16))

    def lingering(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"slowly")
        self.silent()

    def silent(self) -> None:
        self.server.up.ended.wait(30)
        self.close_connection = True

    def wrong(self) -> None:
        self._send(401, json.dumps({"error": {"message": f"bad key {self.headers.get('Authorization')}"}}).encode(), {})

    def _send(self, code: int, data: bytes, headers: dict) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address) -> None:
        """Clients that go away are expected."""
        self.up.broken.append(sys.exception())


@contextmanager
def upstream(act: str = "reply", tls: ssl.SSLContext | None = None):
    """A provider until the end of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls:  # each connection agrees on it in its own thread
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.up = Upstream(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}", act=act)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.up
    finally:
        server.up.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def tunnel(port: int, heard: bytearray | None = None):
    """A proxy that connects everybody to one port of this machine; gives its address and what it was asked.

    heard: takes all that it passed on from clients.
    """
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink, kept: bytearray) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                kept += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                with near, socket.create_connection(("127.0.0.1", port)) as far:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += near.recv(4096)
                    asked.append(head.decode())
                    near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    back = threading.Thread(target=pump, args=(far, near, bytearray()), daemon=True)
                    back.start()
                    pump(near, far, bytearray() if heard is None else heard)
                    back.join()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://user:word@127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
