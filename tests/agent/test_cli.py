"""The command itself: what it prints where, and its exit status."""

from __future__ import annotations

import json

import pytest
import typer
from agent_labs import waiting
from typer.testing import CliRunner

from novum.agents.agent_task import AgentFailed
from novum.cli.people import agent_command
from novum.core.model.errors import UserError


@pytest.fixture
def novum(monkeypatch):
    monkeypatch.setattr(agent_command.signal, "signal", lambda *_: None)
    app = typer.Typer(rich_markup_mode=None)
    agent_command.register(app)

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


@pytest.fixture
def scripted(novum, agents, guess):
    """Runs a scripted agent on the lab about a program."""

    def run(act, *words):
        given = ["--lab", guess, "--readable", agents.tool, "--as", "coder", *words]
        return novum(*given, "--", "python", agents.tool / "agents.py", act, "{brief}")

    return run


def test_a_proposal_is_sent(scripted, guess):
    done = scripted("improve")
    (request,) = waiting(guess)
    assert done.exit_code == 0, done.exception
    assert done.stdout == f"request {request.id}: agent:coder proposes solver.py: 1 line changed (probability 0.7)\n"
    assert "agent: round 1: python" in done.stderr and ".tool" in done.stderr


def test_a_dry_run_shows_the_difference(scripted, guess):
    done = scripted("improve", "--dry-run")
    assert done.exit_code == 0 and "-STEP = 0.5\n+STEP = 2.0\n" in done.stdout
    assert "nothing was proposed" in done.stderr and not waiting(guess)


def test_for_machines(scripted, guess):
    done = scripted("improve", "--json", "--follow")
    (one,) = json.loads(done.stdout)["rounds"]
    (request,) = waiting(guess)
    assert (one["request"], one["status"], one["fate"]) == (request.id, 0, None) and "not running" in one["waited"]


def test_rounds(scripted, guess):
    done = scripted("improve", "--rounds", "2", "--no-wait")
    assert done.exit_code == 0 and done.stdout.count("agent:coder proposes") == 2 and len(waiting(guess)) == 2
    done = scripted("nothing", "--rounds", "2")
    assert isinstance(done.exception, AgentFailed) and "none of 2 rounds" in str(done.exception)
    assert done.stderr.count("  | I have no idea.") == 2
    done = scripted("improve", "--rounds", "2")
    assert "taken up by the next `novum run`" in done.stdout


def test_a_failure_shows_the_end_of_what_was_printed(scripted, guess):
    done = scripted("fail")
    assert isinstance(done.exception, AgentFailed) and "exit status 3" in str(done.exception)
    assert "  | out of credit" in done.stderr and not done.stdout and not waiting(guess)
    done = scripted("inject", "--dry-run")
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.parametrize(("words", "said"), [
    (["--lab", "none", "--", "cat"], "no lab in none"),
    (["--as", "a/b", "--", "cat"], "--as"),
    (["--env", "OPENAI_API_KEY=sk-x", "--", "cat"], "--gateway"),
    (["--readable", "none", "--", "cat"], "--readable none"),
    (["--key-from", "HOME", "--", "cat"], "add --gateway"),
    (["--gateway", "nowhere", "--", "cat"], "--gateway nowhere"),
    (["--dry-run", "--rounds", "2", "--", "cat"], "leave out --rounds"),
    (["--dry-run", "--follow", "--", "cat"], "leave out --rounds"),
    (["--", "no-such-agent"], "no program 'no-such-agent'"),
    (["--", "./agent"], "full path"),
])  # fmt: skip
def test_bad_input_says_what_to_do(novum, guess, words, said):
    lab = [] if "--lab" in words else ["--lab", guess]
    done = novum(*lab, *words)
    assert isinstance(done.exception, UserError) and said in str(done.exception), done.exception
    assert not waiting(guess)


def test_a_command_is_needed(novum, guess):
    for words in (
        [],
        ["--"],
        ["--seconds", "0", "--", "cat"],
        ["--rounds", "0", "--", "cat"],
        ["--memory", "1", "--", "cat"],
    ):
        assert novum("--lab", guess, *words).exit_code == 2
