"""The MCP server as a process of its own, and a client that uses every tool of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAMES = {"study", "findings", "hypotheses", "hypothesis", "failures", "log", "league", "follow", "propose"}


def command(lab: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "novum.cli", "mcp", "--lab", str(lab), *more]


@contextmanager
def process(words: list[str], **given):
    given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, **given}
    running = subprocess.Popen(words, **given)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
        running.communicate()


@dataclass
class Told:
    """What a process printed, in the order of its streams, and its exit status."""

    text: str = ""
    status: int | None = None


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


HASTY = """
import sys
from novum.mcp import http_connections
http_connections.REQUEST_SECONDS = float(sys.argv.pop(1))
from novum.cli.app import main
main()
"""
"""The command line with another time for a request to come in."""


@contextmanager
def served(lab: Path, *more: str, told: Told | None = None, request_seconds: float | None = None, **environment: str):
    """The server over HTTP until the end of the block, where it is interrupted if somebody wants to know the rest."""
    port = free_port()
    given = {"env": {**os.environ, **environment}}
    given |= {} if told is None else {"stdout": subprocess.PIPE}
    words = command(lab, "--http", str(port), "--as", "web", *more)
    if request_seconds is not None:
        words[1:3] = ["-c", HASTY, str(request_seconds)]
    with process(words, **given) as running:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert running.poll() is None
            time.sleep(0.05)
        yield port
        if told is not None:
            running.send_signal(signal.SIGINT)
            told.text, told.status = "".join(running.communicate(timeout=20)), running.returncode


async def use_all(client) -> dict:
    """List and call every tool."""
    assert {tool.name for tool in (await client.list_tools()).tools} == NAMES
    given = {"hypothesis": {"name": "h1"}, "follow": {"name": "h1"}}
    given["propose"] = {"genome": {"shade": 63, "spin": 4}, "rationale": "why not", "probability": 0.1}
    told = {}
    for name in sorted(NAMES):
        answer = await client.call_tool(name, given.get(name, {}))
        assert not answer.is_error, (name, answer.content)
        assert answer.structured_content
        told[name] = answer.structured_content
    return told


def check_all(told: dict, author: str) -> None:
    assert [gene["name"] for gene in told["study"]["genes"]] == ["metal", "edge", "spin", "shade"]
    assert not told["study"]["running"]
    assert told["findings"]["findings"]
    assert told["league"]["authors"]
    assert told["log"]["events"]
    assert told["follow"]["stage"]
    assert told["propose"]["author"] == author
