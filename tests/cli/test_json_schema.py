"""What commands print with --json fits the schemas that are promised, and the page of the docs says the same."""

from __future__ import annotations

import fcntl
import json
import tarfile
from pathlib import Path
from threading import Timer
from typing import Any

import json_page
import jsonschema
import pytest
import typer.main
from tests.support.archives import unpack

from novum.agents.agent_session import AgentRounds, Round
from novum.cli.app import application
from novum.cli.printing.json_schema import OUTPUTS, json_schema
from novum.cli.printing.output import as_json

GOLDEN = Path(__file__).parents[1] / "golden" / "labs"
REQUESTS = {"pause": [], "resume": [], "propose": ["--as", "ann", "spin=2"], "approve": ["--as", "ann"], "deny": []}
QUESTIONS = [
    ["status"],
    ["findings"],
    ["show", "h3"],
    ["show", "g3.0"],
    ["show", "baseline"],
    ["report", "-o", "report.html"],
    ["failures"],
    ["failures", "--group"],
    ["diff", "baseline", "incumbent"],
    ["lineage", "h3"],
    ["explain", "h3"],
    ["verify"],
    ["log"],
    ["export", "h3", "-o", "pack.zip", "--csv", "tables"],
    ["anchor"],
    ["replay", "h3", "--trials", "2", "--workers", "1", "--anyway"],
    ["inbox"],
    ["authors"],
    ["interventions"],
    ["gc"],
]
ASKED = [("coins", words) for words in QUESTIONS] + [
    ("people", [word.replace("h3", "h2") for word in words])
    for words in QUESTIONS
    if words[0] not in ("export", "replay", "verify", "report", "log")
]
WITHOUT_LAB = [["arenas"], ["researchers"], ["executors"], ["doctor"]]


def _closed(schema: Any) -> Any:
    """The schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def check(command: str, text: str) -> None:
    """Hold an output to the schema of its command."""
    values = [json.loads(line) for line in text.splitlines()] if OUTPUTS[command].lines else [json.loads(text)]
    schema = _closed(json_schema(command))
    assert values
    for value in values:
        jsonschema.Draft202012Validator(schema).validate(value)


@pytest.fixture
def said(novum):
    """Runs a command for JSON and returns what it printed."""

    def run(*words: str) -> str:
        found = novum(*words, "--json")
        assert found.status == 0, (words, found)
        return found.out

    return run


@pytest.fixture(scope="module")
def labs(tmp_path_factory) -> Path:
    """A directory with the finished labs `coins` and `people`."""
    place = tmp_path_factory.mktemp("labs")
    for name in ("coins", "people"):
        with tarfile.open(GOLDEN / f"{name}.tar.gz") as archive:
            unpack(archive, place / name)
    return place


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("lab", "words"), ASKED, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_answers_about_a_lab_fit_their_schemas(lab, words, labs, said):
    check(words[0], said(*words, "--lab", str(labs / lab / "lab")))


def test_an_anchor_that_is_checked_fits_the_schema(labs, said):
    lab = str(labs / "coins" / "lab")
    check("anchor", said("anchor", "--lab", lab, "--check", json.loads(said("anchor", "--lab", lab))["root"]))


@pytest.mark.parametrize("command", REQUESTS)
def test_requests_fit_their_schema(command, coins, said):
    ids = [json.loads(said("inbox", "--lab", str(coins)))[0]["id"]] if command in ("approve", "deny") else []
    check(command, said(command, *ids, *REQUESTS[command], "--lab", str(coins)))


def test_an_order_to_stop_fits_its_schema(labs, said):
    lab = labs / "people" / "lab"
    with (lab / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a session that ends a little later
        Timer(0.3, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        check("stop", said("stop", "--lab", str(lab)))


@pytest.mark.parametrize("words", WITHOUT_LAB, ids=" ".join)
def test_answers_about_this_machine_fit_their_schemas(words, said):
    check(words[0], said(*words))


def test_a_preflight_and_a_run_fit_their_schemas(said):
    study = Path("coins.toml")
    study.write_text('name = "coins"\nquestion = "which?"\narena = "coinflip"\n')
    check("preflight", said("preflight", str(study), "--budget", "400trials", "--workers", "1"))
    check("run", said("run", str(study), "--budget", "500trials", "--workers", "1"))


def test_the_rounds_of_an_agent_fit_their_schema():
    check("agent", as_json(AgentRounds((Round(1, "agent:x"), Round(2, "agent:x", failure="no edit", status=3)))))


def test_every_command_with_json_has_a_schema_and_no_other():
    group = typer.main.get_command(application())
    with_json = {name for name, command in group.commands.items() if _knows_json(command) and not command.hidden}
    assert with_json == set(OUTPUTS)


def _knows_json(command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


def test_the_page_of_the_docs_is_made_from_the_schemas():
    assert json_page.PAGE.read_text(encoding="utf-8") == json_page.page(), "run: python tests/support/json_page.py"


def test_one_schema_is_asked_for_by_name_and_an_unknown_one_is_refused(novum, refused):
    assert json.loads(novum("schema", "status").out)["title"] == "novum status --json"
    assert set(json.loads(novum("schema").out)) == set(OUTPUTS)
    assert "'nothing' prints no JSON: one of run, preflight" in refused("schema", "nothing")
