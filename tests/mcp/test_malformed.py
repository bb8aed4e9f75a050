"""Clients that send no messages: over standard input they are told so, over HTTP they do not stay."""

from __future__ import annotations

import http.client
import json
import select
import socket
import subprocess
import time
from contextlib import suppress

import pytest
from mcp_servers import command, process, served

pytest.importorskip("mcp")

from novum.mcp.http_connections import MOST_CONNECTIONS

WAIT = 2.0
"""Seconds for a request to come in, here."""

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


def said(running, line: str) -> dict:
    running.stdin.write(line + "\n")
    running.stdin.flush()
    assert select.select([running.stdout], [], [], 20)[0], line
    return json.loads(running.stdout.readline())


LINES = {
    "half an object": ("{", -32700, None),
    "no JSON": ("hello", -32700, None),
    "a half text": ('"a', -32700, None),
    "too deep": ("[" * 5000, -32700, None),
    "NUL": ("\0", -32700, None),
    "a cut message": (json.dumps(HELLO)[:-2], -32700, None),
    "a number": ("7", -32600, None),
    "a list": ("[]", -32600, None),
    "a batch": (f"[{json.dumps(HELLO)}]", -32600, None),
    "no method": ('{"jsonrpc": "2.0", "id": 7}', -32600, 7),
    "another version": ('{"jsonrpc": "1.0", "id": "x"}', -32600, "x"),
    "a method that is none": ('{"jsonrpc": "2.0", "id": 9, "method": 5}', -32600, 9),
}


def test_what_is_no_message_is_answered_as_the_protocol_says_and_the_server_goes_on(quiet):
    with process(command(quiet), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        for name, (line, code, known) in LINES.items():
            answer = said(running, line)
            assert (answer["jsonrpc"], answer["error"]["code"], answer["id"]) == ("2.0", code, known), name
            assert answer["error"]["message"]
        assert "result" in said(running, "\n  \n" + json.dumps(HELLO))
        assert said(running, "}")["error"]["code"] == -32700
        running.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
        asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "league", "arguments": None}}
        answer = said(running, json.dumps(asked))
        assert answer["id"] == 2 and answer["result"]["structuredContent"]["authors"]
        running.stdin.close()
        running.stdin = None
        assert running.wait(20) == 0


def works(port: int) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    kinds = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    asked.request("POST", "/mcp", body=json.dumps(HELLO), headers=kinds)
    try:
        return asked.getresponse().status
    finally:
        asked.close()


HALVES = (
    b"",
    b"POST /m",
    b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
    b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 99\r\n\r\n{",
)
"""Silence, half a line, half the headers, half a body."""


def test_half_open_connections_neither_stay_nor_keep_others_out(quiet):
    with served(quiet, request_seconds=WAIT) as port:
        held = []
        for number in range(3 * MOST_CONNECTIONS):
            data = HALVES[number % len(HALVES)]
            one = connected(port)
            if data:
                one.sendall(data % port if b"%d" in data else data)
            held.append(one)
        began = time.monotonic()
        assert works(port) == 200
        assert time.monotonic() - began < WAIT
        open_ = [one for one in held if not ended(one, 0)]
        assert len(open_) <= MOST_CONNECTIONS
        until = time.monotonic() + WAIT + 4
        while time.monotonic() < until and not all(ended(one, 0) for one in open_):
            time.sleep(0.2)
            for dripping in (one for number, one in enumerate(held[-8:]) if HALVES[number % len(HALVES)]):
                with suppress(OSError):  # a byte now and then buys no time
                    dripping.sendall(b"a")
        assert all(ended(one, 0) for one in open_)
        assert works(port) == 200
        for one in held:
            one.close()


def ended(one: socket.socket, seconds: float) -> bool:
    """Whether the other side has closed a connection, perhaps with an answer before."""
    while select.select([one], [], [], seconds)[0]:
        try:
            if not one.recv(4096):
                return True
        except OSError:
            return True
    return False


def test_a_reply_may_last_longer_than_a_request(quiet):
    body = json.dumps(HELLO)
    with served(quiet, request_seconds=WAIT) as port, connected(port) as asking, connected(port) as listening:
        kinds = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        kinds = f"Host: 127.0.0.1:{port}\r\n{kinds}"
        asking.sendall(f"POST /mcp HTTP/1.1\r\n{kinds}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        told = asking.recv(65536).decode().split("\r\n")
        session = next(line.partition(": ")[2] for line in told if line.lower().startswith("mcp-session-id"))
        listening.sendall(f"GET /mcp HTTP/1.1\r\n{kinds}Mcp-Session-Id: {session}\r\n\r\n".encode())
        assert b"200 OK" in listening.recv(4096)
        assert not ended(listening, WAIT + 1)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)
