"""A server ends alike on SIGINT and SIGTERM, however it was started."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys

import pytest
from labs import coin_study

from novum import Budget
from novum.lab.session import session

pytest.importorskip("mcp")

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
ASKED = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ending") / "lab"
    with session(coin_study(), Budget(trials=20), directory) as opened:
        opened.run()
    return directory


@pytest.mark.parametrize("ignored", [False, True], ids=["at a terminal", "by a script, which lets SIGINT be ignored"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_alike(lab, number, ignored):
    command = shlex.join([sys.executable, "-m", "novum.cli", "mcp", "--lab", str(lab)])
    trap = 'trap "" INT; ' if ignored else ""
    with subprocess.Popen(
        ["sh", "-c", f"{trap}exec {command}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        server.stdin.write(f"{ASKED}\n".encode())
        server.stdin.flush()
        assert b'"result"' in server.stdout.readline()
        server.send_signal(number)
        assert server.wait(20) in (130, 128 + number, -number)
