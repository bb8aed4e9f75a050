"""Null stands for "not given" wherever a parameter has a default, in each tool and in requests to the lab."""

from __future__ import annotations

import asyncio
import json

import programs
import pytest
from labs import coin_study, events, in_memory

from novum.core.model.budget import Budget
from novum.core.model.study import ResearcherSettings, Study

pytest.importorskip("mcp")

from mcp import Client
from novum.core.events.models_and_people import RequestTaken
from novum.core.events.proposals import ProposalMade
from novum.governance.mailbox import FOLDER, Mailbox
from novum.lab.session import session
from novum.mcp.server import server


def use(directory, *asked):
    """The tools by name, and what each call is answered: (is error, text, structured)."""

    async def go():
        async with Client(server(directory, "tester")) as client:
            listed = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
            done = [await client.call_tool(tool, given) for tool, given in asked]
        return listed, [(one.is_error, one.content[0].text, one.structured_content) for one in done]

    return asyncio.run(go())


REQUIRED = {
    "hypothesis": {"name": "h1"},
    "follow": {"name": "h1"},
    "propose": {"rationale": "x", "probability": 0.3, "genome": {"spin": 4, "shade": 61}},
}


def test_every_parameter_that_may_be_left_out_may_be_null(quiet):
    import jsonschema

    listed, _ = use(quiet)
    asked = []
    for name, schema in listed.items():
        given = REQUIRED.get(name, {})
        optional = [one for one in schema["properties"] if one not in schema.get("required", ())]
        nulls = {one: None for one in optional if one not in given} | given
        jsonschema.validate(nulls, schema)
        for one in schema.get("required", ()):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(nulls | {one: None}, schema)
        asked += [(name, nulls), (name, given)]
    assert sum(len(given) for _, given in asked[::2]) >= 14
    _, told = use(quiet, *asked)
    for (name, given), (bad, text, _) in zip(asked, told, strict=True):
        assert not bad, (name, given, text)
    for (name, _), nulls, plain in zip(asked[::2], told[::2], told[1::2], strict=True):
        if name not in ("propose", "study"):  # a request has a name of its own, and time passes
            assert nulls == plain


def test_what_must_be_given_may_not_be_null(quiet):
    said = REQUIRED["propose"]
    asked = [
        ("hypothesis", {"name": None}),
        ("propose", said | {"probability": None}),
        ("propose", said | {"rationale": None}),
    ]
    _, told = use(quiet, *asked, ("hypotheses", {"last": 0}), ("log", {"last": 101}))
    assert [bad for bad, _, _ in told] == [True] * 5


def test_a_text_that_reads_like_json_stays_a_text(quiet):
    _, told = use(quiet, ("log", {"text": "null"}), ("log", {"text": '["campaign"]'}), ("log", {"text": None}))
    assert [bad for bad, _, _ in told] == [False] * 3
    assert [bool(found["events"]) for _, _, found in told] == [False, False, True]


def test_genes_and_files_that_are_null_stay_as_they_are(tmp_path):
    said = {"rationale": "x", "probability": 0.3, "base": None, "effect": None, "edits": None}
    genes = said | {"files": None, "genome": {"metal": None, "spin": 4, "edge": None}}
    study = coin_study(researcher=ResearcherSettings("inbox"))
    with session(study, Budget(wall_seconds=60), tmp_path / "coins") as lab:
        _, ((bad, text, _),) = use(tmp_path / "coins", ("propose", genes))
        assert not bad, text
        lab.take_requests()
        assert lab.state.pending[0].candidate.genome["spin"] == 4
    whole = said | {"genome": None, "files": {"solver.py": "def solve(seed):\n    return 3.0\n", "other.py": None}}
    options = programs.options(tmp_path / "src")
    study = Study(
        name="guess", arena="program", executor="inline", options=options, researcher=ResearcherSettings("inbox")
    )
    with session(study, Budget(wall_seconds=60), tmp_path / "guess") as lab:
        _, ((bad, text, _), (none, words, _)) = use(
            tmp_path / "guess",
            ("propose", whole),
            ("propose", said | {"genome": {"x": None}, "files": {"solver.py": None}}),
        )
        assert not bad, text
        assert none and "exactly one way" in words
        lab.take_requests()
        assert set(lab.state.pending[0].candidate.genome) == {"solver.py"}


GENOME = {"metal": 4, "edge": 4, "spin": 2, "shade": 7}


def placed(directory, name: str, **given) -> None:
    (directory / FOLDER).mkdir(exist_ok=True)
    (directory / FOLDER / f"{name}.json").write_text(json.dumps(given))


@pytest.mark.parametrize("body", [
    {"genome": GENOME, "rationale": None, "probability": None, "effect": None, "parents": None, "transcript": None},
    {"genome": GENOME, "transcript": {"brief": None, "log": None, "seconds": None, "input_tokens": None}},
])  # fmt: skip
def test_nulls_in_a_request_for_a_proposal_are_as_if_left_out(tmp_path, body):
    placed(tmp_path, "1", act="propose", author="alice", body=body)
    lab = in_memory(coin_study(), Budget(trials=30))
    lab.mailbox = Mailbox(tmp_path)
    lab.take_requests()
    (made,) = [event for event in events(lab) if isinstance(event, ProposalMade)]
    assert (made.rationale, made.probability, made.effect, made.parents) == ("", 0.1, 0.0, ())
    assert "None" not in str([event for event in events(lab) if getattr(event, "request", "") == "1"][1:-1])


@pytest.mark.parametrize("given", [{"body": None}, {}, {"body": {"reason": None}}])
@pytest.mark.parametrize("act", ["pause", "resume", "stop"])
def test_who_stops_a_lab_need_not_say_why(tmp_path, act, given):
    placed(tmp_path, "1", act=act, author="alice", **given)
    lab = in_memory(coin_study(), Budget(trials=30))
    lab.mailbox = Mailbox(tmp_path)
    lab.take_requests()
    (taken,) = [event for event in events(lab) if isinstance(event, RequestTaken)]
    assert (taken.act, taken.author, taken.note) == (act, "alice", "")


def test_nobody_signs_as_null(tmp_path):
    for number, author in enumerate((None, 7, ["alice"])):
        placed(tmp_path, str(number), act="pause", author=author, body={})
    placed(tmp_path, "9", act=None, author="alice", body={})
    (tmp_path / FOLDER / "10.json").write_text("[]")
    assert Mailbox(tmp_path).waiting() == []
