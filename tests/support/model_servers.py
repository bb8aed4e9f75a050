"""Scripted models behind real HTTP on the loopback: OpenAI's chat completions and Anthropic's messages.

A script is a sequence of acts, the last of which goes on for ever: a text (or a function of the request's body that
gives one) is answered, an object of this module does what its name says.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Status:
    """An HTTP error with headers."""

    code: int
    headers: dict = field(default_factory=dict)
    message: str = "scripted failure"


@dataclass(frozen=True)
class Slow:
    """Says nothing for so many seconds, or until the server ends."""

    seconds: float


@dataclass(frozen=True)
class Said:
    """A text with another end than "stop", or with other counts of tokens. raw: the body itself."""

    text: str = ""
    finish: str = "stop"
    refusal: str | None = None
    usage: tuple | None = (100, 20)
    raw: bytes | None = None
    headers: dict = field(default_factory=dict)


class Reset:
    """Ends the connection without an answer."""


Act = str | Callable[[dict], str] | Status | Slow | Said | Reset


class ModelServer(ThreadingHTTPServer):
    """Plays a script; `bodies` are the requests that came, `keys` the keys that came with them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, script: Sequence[Act]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.bodies: list[dict] = []
        self.keys: list[str] = []
        self.ended = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def openai(self) -> str:
        """The option `model` that means this server, by OpenAI's protocol."""
        return f"scripted@{self.url}/v1"

    @property
    def anthropic(self) -> str:
        return f"anthropic:claude-sonnet-5@{self.url}"

    def next(self, body: dict) -> Act:
        with self.lock:
            self.bodies.append(body)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def handle_error(self, request, client_address) -> None:
        """Clients that go away are expected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.append(self.headers.get("Authorization") or self.headers.get("x-api-key") or "")
        act = self.server.next(body)
        if isinstance(act, Slow):
            self.server.ended.wait(act.seconds)
            act = "too late"
        if isinstance(act, Reset) or act is Reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(act, Status):
            self._send(act.code, {"error": {"message": act.message, "type": "scripted"}}, act.headers)
            return
        if callable(act):
            act = act(body)
        said = act if isinstance(act, Said) else Said(act)
        if said.raw is not None:
            self._bytes(200, said.raw, said.headers)
            return
        self._send(200, _messages(said) if "/messages" in self.path else _completion(said), said.headers)

    def _send(self, code: int, value: dict, headers: dict) -> None:
        self._bytes(code, json.dumps(value).encode(), headers)

    def _bytes(self, code: int, data: bytes, headers: dict) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args) -> None:
        pass


def _completion(said: Said) -> dict:
    message = {"role": "assistant", "content": said.text or None, "refusal": said.refusal}
    found = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish}],
    }
    if said.usage:
        taken, given = said.usage
        found["usage"] = {"prompt_tokens": taken, "completion_tokens": given, "total_tokens": taken + given}
    return found


def _messages(said: Said) -> dict:
    ends = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    taken, given = said.usage or (0, 0)
    return {
        "id": "scripted",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": [{"type": "text", "text": said.text}] if said.text else [],
        "stop_reason": ends[said.finish],
        "stop_sequence": None,
        "usage": {"input_tokens": taken, "output_tokens": given},
    }


@contextmanager
def serving(*script: Act):
    """A server that plays a script until the end of the block."""
    server = ModelServer(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def asked_number(body: dict) -> int:
    """The number of the proposal that a prompt asks for."""
    return int(re.search(r"Proposal number (\d+)", json.dumps(body))[1])


def coin(metal=0, edge=0, spin=0, shade=0, **extra) -> str:
    """A well-formed answer for the coin-flip arena."""
    answer = {
        "genome": {"metal": metal, "edge": edge, "spin": spin, "shade": shade},
        "claim": "this coin lands heads more often",
        "rationale": "scripted",
        "probability_percent": 40,
        "effect": 0.05,
    }
    return json.dumps({**answer, **extra})


def coins(body: dict) -> str:
    """Another coin for each number, good ones and bad ones."""
    number = asked_number(body)
    return coin(metal=number % 6, edge=(number // 2) % 6, spin=(number // 3) % 6, shade=number % 64)


def edit(*edits, **extra) -> str:
    """A well-formed answer for a program: (file, search, replace) each."""
    answer = {
        "edits": [{"file": file, "search": search, "replace": replace} for file, search, replace in edits],
        "claim": "comes nearer",
        "rationale": "scripted",
        "probability_percent": 60,
        "effect": 0.1,
    }
    return json.dumps({**answer, **extra})
