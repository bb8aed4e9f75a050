"""The server as agents meet it: another process, over standard input and over HTTP, on a lab that runs."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcp_servers import check_all, command, process, served, use_all

from novum.lab import verification

pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters
from novum.arenas.coinflip import SPEC, chance
from novum.core.events.proposals import ProposalMade
from novum.ledger.journal import Reader, is_held

STUDY = """
name = "coins"
arena = "coinflip"
executor = "inline"
[researcher]
name = "inbox"
"""
PATIENCE = 45


def stdio(lab: Path, *more: str) -> StdioServerParameters:
    program, *words = command(lab, *more)
    return StdioServerParameters(command=program, args=words)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_over_standard_input(quiet, mode):
    async def go():
        async with Client(stdio(quiet, "--as", "coder"), mode=mode) as client:
            return await use_all(client)

    check_all(asyncio.run(go()), "mcp:coder")


@pytest.fixture(scope="module")
def web(ended, tmp_path_factory):
    """The port of a server over HTTP."""
    with served(shutil.copytree(ended, tmp_path_factory.mktemp("web") / "lab")) as port:
        yield port


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_over_http(web, mode):
    async def go(port):
        async with Client(f"http://127.0.0.1:{port}/mcp", mode=mode) as client:
            return await use_all(client)

    check_all(asyncio.run(go(web)), "mcp:web")


def test_http_is_for_this_machine_alone(web):
    with socket.socket() as other:
        assert other.connect_ex((_address(), web)) != 0 or _address().startswith("127.")
    for headers in ({"Host": "evil.example"}, {"Host": f"127.0.0.1:{web}", "Origin": "http://evil.example"}):
        asked = http.client.HTTPConnection("127.0.0.1", web, timeout=10)
        kinds = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        asked.request("POST", "/mcp", body=json.dumps({"jsonrpc": "2.0"}), headers={**kinds, **headers})
        assert asked.getresponse().status in (403, 421)
        asked.close()


def _address() -> str:
    """An address of this machine by which others reach it, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        try:
            place.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return place.getsockname()[0]


async def agent(client) -> tuple[dict, int]:
    """Knows nothing of coins: tries each choice of each gene until the lab says that one is better."""
    study, until = (await client.call_tool("study", {})).structured_content, time.monotonic() + PATIENCE
    while not study["running"]:
        assert time.monotonic() < until, "the lab does not run"
        await asyncio.sleep(0.3)
        study = (await client.call_tool("study", {})).structured_content
    sent = []
    for gene in study["genes"]:
        for choice in gene["choices"][:6]:
            if choice == study["incumbent"][gene["name"]] or gene["name"] == "shade":
                continue
            asked = {"genome": {gene["name"]: choice}, "rationale": f"try {gene['name']}", "probability": 0.2}
            answer = await client.call_tool("propose", asked)
            assert not answer.is_error, answer.content
            sent.append(answer.structured_content["request"])
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for request in sent:
            told = (await client.call_tool("follow", {"name": request})).structured_content
            if told["outcome"] == "supported" and told["effect"] is not None:
                return told, len(sent)
        await asyncio.sleep(0.3)
    raise AssertionError("nothing was found")


def test_an_agent_gets_from_the_study_to_a_confirmed_finding(tmp_path):
    (tmp_path / "coins.toml").write_text(STUDY)
    lab = tmp_path / "lab"
    run = [sys.executable, "-m", "novum.cli", "run", str(tmp_path / "coins.toml"), "--budget", "10m", "--lab", str(lab)]

    async def go():
        async with Client(stdio(lab, "--as", "greedy")) as client:
            told, sent = await agent(client)
            found = (await client.call_tool("findings", {})).structured_content["findings"]
            detail = (await client.call_tool("hypothesis", {"name": told["hypothesis"]})).structured_content
            return told, sent, found, detail

    with process([*run, "--plain"], start_new_session=True) as running:
        until = time.monotonic() + PATIENCE
        while not (is_held(lab) and (lab / "lab.db").exists()) or not _opened(lab):
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.05)
        told, sent, found, detail = asyncio.run(go())
        stop = [sys.executable, "-m", "novum.cli", "stop", "--lab", str(lab), "--as", "tester"]
        subprocess.run(stop, check=True, capture_output=True)
        running.wait(10)
    assert sent == 15
    assert told["e_value"] >= told["threshold"]
    first = next(one for one in found if one["hypothesis"] == told["hypothesis"])
    assert first["author"] == detail["author"] == "mcp:greedy"
    assert chance(detail["candidate"], "mixed") > chance(SPEC.baseline, "mixed"), "which finding comes first is luck"
    with Reader(lab) as reader:
        made = [record for record in reader.read() if isinstance(record.event, ProposalMade)]
    assert {record.actor for record in made} == {"mcp:greedy"}
    assert verification.verify(lab).ok


def _opened(lab: Path) -> bool:
    from novum.api import read_lab
    from novum.core.model.errors import NovumError

    try:
        return read_lab(lab).session_open
    except NovumError:
        return False


def test_the_lab_itself_never_loads_the_protocol(tmp_path):
    names = "novum.cli.app, novum.api, novum.cli.people.leaderboard, novum.lab.wiring"
    code = f"import sys, {names}; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0


def test_a_missing_lab_and_a_missing_package_are_told_in_one_line(tmp_path):
    def said(words, **more):
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **more)
        return done.returncode, done.stderr

    assert said(command(tmp_path)) == (2, f"novum: no lab in {tmp_path}: give --lab DIR of an existing lab, "
                                          "or start one with `novum run`\n")  # fmt: skip
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text("raise ModuleNotFoundError('no', name='mcp')")
    status, text = said(command(tmp_path), env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (status, text) == (2, "novum: novum mcp needs mcp, which is not installed: pip install 'novum[mcp]'\n")


def test_a_port_that_is_taken_is_told_in_one_line(quiet):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = command(quiet, "--http", str(port))
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"novum: --http {port}: Address already in use; choose another port\n"
