"""Agents in a real sandbox: what honest ones bring, and what hostile ones do not get."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from agent_labs import opened, waiting
from labs import coin_study

from novum.agents.agent_task import LOG_BYTES, MIB
from novum.core.model.errors import UserError
from novum.core.model.request import Act
from novum.core.model.study import ResearcherSettings, ScreeningSettings
from novum.sandbox import SandboxStatus, SandboxUnavailable, Tier

SPY = {"SPY_API_KEY": "spy-key-12345678"}


def test_an_edit_becomes_a_request(agents, guess):
    one = agents.run(guess, "improve")
    assert (one.failure, one.status, one.change) == ("", 0, "solver.py: 1 line changed")
    (request,) = waiting(guess)
    assert (request.id, request.act, request.author) == (one.request, Act.PROPOSE, "agent:tester")
    assert "STEP = 2.0" in request.body["genome"]["solver.py"]
    assert {key: request.body[key] for key in ("rationale", "probability", "effect", "parents")} == {
        "rationale": "larger steps come nearer", "probability": 0.7, "effect": 0.5, "parents": []
    }  # fmt: skip
    kept = request.body["transcript"]
    assert set(kept) == {"brief", "log", "seconds", "status", "input_tokens", "output_tokens"}
    assert kept["brief"].startswith("# Brief") and kept["log"] == "I made the steps larger.\n"
    assert (kept["status"], kept["input_tokens"], kept["output_tokens"]) == (0, 0, 0)
    assert 0 < kept["seconds"] == one.seconds < 20
    assert one.notes == ("left out, as a tool's own: .tool",)
    assert any("tier namespaces" in words for words in agents.said)
    assert agents.shown == ["I made the steps larger."]


def test_genes_become_a_request(agents, coins):
    one = agents.run(coins, "coin")
    request = next(each for each in waiting(coins) if each.id == one.request)
    assert request.body["genome"]["shade"] == 61 and request.body["rationale"] == "heavier"


def test_a_dry_run_sends_nothing(agents, guess):
    one = agents.run(guess, "improve", send=False)
    assert "+STEP = 2.0" in one.difference and not one.request and not one.failure
    assert not waiting(guess)


@pytest.mark.parametrize(("act", "said"), [
    ("nothing", "changed nothing"),
    ("fail", "exit status 3 and changed nothing"),
    ("strays", "no part of a candidate: notes.md, src/deep/helper.py"),
    ("delete", "deleted files of the program: solver.py"),
    ("links", "cannot be taken over: solver.py (a link)"),
    ("break_syntax", "solver.py:1"),
    ("link_artefact", "File exists"),
    ("forge_artefact", "killed by SIGKILL"),
    ("nothing_left", "cannot be taken over: solver.py (empty: all of it was taken out, or writing it failed"),
    ("a_write_that_fails", "cannot be taken over: solver.py (empty"),
    ("blanks", "cannot be taken over: solver.py (empty"),
    ("nuls", "cannot be taken over: solver.py (too large"),
    ("few_nuls", "solver.py:1: a NUL character"),
    ("one_big", "cannot be taken over: solver.py (too large"),
    ("many", "one of more than 2000 files"),
    ("fill", "No space left"),
])  # fmt: skip
def test_an_agent_that_brings_nothing_useful_proposes_nothing(agents, guess, act, said):
    one = agents.run(guess, act)
    assert said in one.failure, one.failure
    assert not one.request and not waiting(guess)


def test_an_edit_counts_even_if_the_agent_failed_afterwards(agents, guess):
    one = agents.run(guess, "fail_after_edit")
    assert one.request and one.status == 3


def test_what_an_agent_leaves_running_is_ended(agents, guess):
    began = time.monotonic()
    assert agents.run(guess, "leave_daemon").request
    assert time.monotonic() - began < 10


def test_time_and_memory_are_bounded(agents, guess):
    one = agents.run(guess, "sleep", seconds=1.0)
    assert "ran longer than 1 s; --seconds allows more" in one.failure and one.log == "thinking\n"
    assert one.status is None and one.seconds < 15
    program = ("python", "-c", "x = bytearray(400 << 20); import time; time.sleep(30)")
    one = agents.run(guess, "", command=program, memory_bytes=128 * MIB)
    assert "MemoryError" in one.log or "--memory" in one.failure
    assert not waiting(guess)


def test_what_an_agent_prints_is_cleaned_cut_and_free_of_secrets(agents, guess):
    one = agents.run(guess, "inject")
    (request,) = waiting(guess)
    log = request.body["transcript"]["log"]
    assert len(log.encode()) <= LOG_BYTES and log.rstrip().endswith("[secret removed]")
    everything = json.dumps(request.body, ensure_ascii=False) + one.rationale + one.log
    assert not [char for char in everything if char in "\x1b\x07\u202e\u2066\r"]
    assert "sk-ant-aaaa" not in everything
    assert (one.probability, one.effect) == (0.1, 0.0) and len(one.notes) == 3


def test_a_spy_finds_nothing(agents, guess, monkeypatch, tool):
    for name, value in SPY.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (tool / "lab.txt").write_text(str(guess))
        (tool / "port.txt").write_text(str(listening.getsockname()[1]))
        one = agents.run(guess, "spy")
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert json.loads(one.log) == {"worked": []}
    assert not one.request and not waiting(guess)


def test_variables_and_standard_tools(agents, guess):
    command = ("/bin/sh", "-c", "echo $MODE $USER $PATH; cat > /dev/null; test -f {brief} && echo there")
    one = agents.run(guess, "", command=command, environment={"MODE": "fast"})
    assert one.log.startswith(f"fast agent {agents.tool}:") and one.log.endswith("there\n")


def test_a_lab_and_a_command_are_needed(agents, guess, tmp_path):
    with pytest.raises(UserError, match="no lab in"):
        agents.session(tmp_path / "none", "improve")
    with pytest.raises(UserError, match="no program"):
        agents.session(guess, "", command=("no-such-agent",))


def test_without_walls_nothing_runs(guess, tool, monkeypatch, agents):
    monkeypatch.setattr(
        "novum.agents.agent_session.sandbox_status", lambda: SandboxStatus(Tier.NONE, "", (), "get some")
    )
    with pytest.raises(SandboxUnavailable, match="sandbox of tier landlock or stronger"):
        agents.session(guess, "improve")


def test_the_next_best_walls_do_too(agents, guess, monkeypatch):
    monkeypatch.setattr("novum.agents.agent_session.sandbox_status", lambda: SandboxStatus(Tier.LANDLOCK, "", (), ""))
    try:
        one = agents.run(guess, "improve")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert one.request, (one.failure, one.log)


def test_waiting_ends_with_the_lab_and_with_what_comes_of_it(agents, tmp_path):
    rules = {"researcher": ResearcherSettings("inbox"), "screening": ScreeningSettings(keep_one_in=1)}
    study, place = coin_study(**rules), tmp_path / "lab"
    with opened(study, place):
        pass
    session = agents.session(place, "coin")
    sent = session.round()
    assert "not running" in session.wait(sent).waited
    over = threading.Event()

    def run():
        with opened(study, place) as lab:
            while not over.is_set():
                lab.take_requests()
                lab.step()
                time.sleep(0.002)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        _patiently(lambda: session.wait(sent).fate is not None)
        done = session.wait(sent)
    finally:
        over.set()
        thread.join()
    assert (done.waited, done.fate.stage, done.fate.hypothesis) == ("", "settled", "h1")
    assert done.fate.outcome in ("supported", "refuted", "inconclusive")
    assert any("h1: settled" in words for words in agents.said)


def test_waiting_ends_where_only_more_proposals_would_help(agents, tmp_path):
    study, place = coin_study(researcher=ResearcherSettings("inbox")), tmp_path / "lab"
    with opened(study, place):
        pass
    session = agents.session(place, "coin_shade")
    sent = session.round()
    with opened(study, place) as lab:
        lab.take_requests()
        while not lab.state.screened:
            lab.step()
        (only,) = lab.state.hypotheses.values()
        assert only.verdict is None and not only.rule
        lab.ledger.append([], durable=True)
        done = session.wait(sent)
    assert done.fate.stage == "screened" and "propose 3 more" in done.waited


def _patiently(done) -> None:
    until = time.monotonic() + 15
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def test_an_interrupt_ends_the_agent_and_proposes_nothing(agents, guess, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    words = ["agent", "--lab", guess, "--readable", agents.tool, "--gateway", "http://127.0.0.1:9"]
    words += ["--seconds", "20", "--", "python", agents.tool / "agents.py", "sleep"]
    for sent, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        runner = subprocess.Popen(
            [sys.executable, "-m", "novum.cli", *map(str, words)],
            env={**os.environ, "TMPDIR": str(temporary)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        _patiently(lambda runner=runner: len(_below(runner.pid)) >= 3)
        assert any("  | thinking" in line for line in iter(runner.stderr.readline, ""))  # seen while it runs
        tree = _below(runner.pid)
        runner.send_signal(sent)
        _, said = runner.communicate(timeout=20)
        assert runner.returncode == status, said
        assert not [pid for pid in tree if Path(f"/proc/{pid}").exists()]
        assert not list(temporary.iterdir())
    assert not waiting(guess)


def _below(pid: int) -> list[int]:
    try:
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return children + [one for child in children for one in _below(child)]
