"""The token of HTTP: who has it works as before, who has not reaches nothing, and nobody reads it anywhere."""

from __future__ import annotations

import asyncio
import http.client
import shutil
from pathlib import Path

import pytest
from mcp_servers import Told, check_all, served, use_all

pytest.importorskip("mcp")

import httpx2
from mcp.client.streamable_http import streamable_http_client

from mcp import Client
from novum.core.model.errors import UserError
from novum.governance.mailbox import Mailbox
from novum.mcp.bearer import Bearer, token_of

TOKEN = "d00r-9d3f5b7A1c2e4f60"
RIGHT = f"Bearer {TOKEN}"
WRONG = {
    "nothing": [],
    "another": ["Bearer d00r-9d3f5b7A1c2e4f61"],
    "the beginning": [RIGHT[:-1]],
    "more": [RIGHT + "0"],
    "no word": ["Bearer"],
    "an empty word": ["Bearer "],
    "no scheme": [TOKEN],
    "another scheme": [f"Basic {TOKEN}"],
    "capitals": [f"Bearer {TOKEN.upper()}"],
    "bytes": [b"Bearer " + b"\xc3\xa9" * (len(TOKEN) // 2)],
    "bytes in it": [RIGHT.encode() + b"\xff"],
    "two words": [f"{RIGHT} {TOKEN}"],
    "two headers": [RIGHT, RIGHT],
}


def guarded(lab: Path, told: Told | None = None):
    return served(lab, "--token-from", "DOOR", told=told, DOOR=TOKEN)


@pytest.fixture(scope="module")
def door(ended, tmp_path_factory):
    """A lab and the port of a server that asks for the token, for tests that leave requests in its mailbox at most."""
    lab = shutil.copytree(ended, tmp_path_factory.mktemp("door") / "lab")
    with guarded(lab) as port:
        yield lab, port


def asked(port: int, method: str, path: str, body=b"", headers=(), authorization=()):
    """(status, headers in small letters, body) of one request with these headers and no others but for its length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_accept_encoding=True, skip_host="host" in dict(headers))
    lines = [*headers, *(("authorization", value) for value in authorization), ("content-length", str(len(body)))]
    for name, value in lines:
        connection.putheader(name, value)
    connection.endheaders(body)
    reply = connection.getresponse()
    try:
        return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read()
    finally:
        connection.close()


async def used(port: int, mode: str, seen: list, headers: dict):
    """What the official client gets from all tools; the replies to its requests are added to `seen`."""

    async def note(reply) -> None:
        seen.append(reply)

    async with httpx2.AsyncClient(headers=headers, timeout=30, event_hooks={"response": [note]}) as way:
        transport = streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=way)
        async with Client(transport, mode=mode) as client:
            return await use_all(client)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_with_the_token_uses_every_tool_and_it_is_printed_nowhere(quiet, mode):
    told, seen = Told(), []
    with guarded(quiet, told) as port:
        check_all(asyncio.run(used(port, mode, seen, {"Authorization": RIGHT})), "mcp:web")
        assert all(asked(port, "POST", "/mcp", b"{}", (), WRONG[name])[0] == 401 for name in ("another", "bytes"))
    assert seen and len(Mailbox(quiet).waiting()) == 1
    assert TOKEN not in told.text and "d00r" not in told.text and told.status == 130
    assert "http://127.0.0.1" in told.text and "any user" not in told.text
    assert not any(TOKEN.encode() in file.read_bytes() for file in quiet.rglob("*") if file.is_file())


def test_a_proposal_without_the_token_reaches_nothing(door):
    (lab, port), seen = door, []
    before = len(Mailbox(lab).waiting())
    asyncio.run(used(port, "auto", seen, {"Authorization": RIGHT}))
    (request,) = [one.request for one in seen if b'"propose"' in one.request.content]
    kept = [(n, v) for n, v in request.headers.items() if n not in ("authorization", "content-length")]
    assert asked(port, "POST", "/mcp", request.content, kept, [RIGHT])[0] == 200
    assert asked(port, "POST", "/mcp", request.content, kept, [f"bearer  {TOKEN}"])[0] == 200
    assert len(Mailbox(lab).waiting()) == before + 3
    for name, sent in WRONG.items():
        status, headers, body = asked(port, "POST", "/mcp", request.content, kept, sent)
        assert (status, headers["www-authenticate"].split()[0]) == (401, "Bearer"), name
        assert body.count(b"\n") == 1 and b"Authorization: Bearer TOKEN" in body and TOKEN.encode() not in body
    assert len(Mailbox(lab).waiting()) == before + 3


def test_every_path_and_method_asks_for_the_token_and_the_other_checks_stay(door):
    ways = [(method, "/mcp") for method in ("GET", "DELETE", "OPTIONS", "HEAD", "PUT")]
    ways += [("GET", "/"), ("GET", "/.well-known/oauth-protected-resource"), ("POST", f"/mcp?access_token={TOKEN}")]
    _, port = door
    for method, path in ways:
        status, _, body = asked(port, method, path)
        assert (status, bool(body)) == (401, method != "HEAD"), (method, path)
    assert asked(port, "GET", "/", authorization=[RIGHT])[0] == 404
    kinds = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")]
    for header, status in (
        (("host", "evil.example"), 421),
        (("origin", "http://evil.example"), 403),
        (("origin", f"http://127.0.0.1:{port + 1}"), 403),
    ):
        assert asked(port, "POST", "/mcp", b"{}", [*kinds, header], [RIGHT])[0] == status
        assert asked(port, "POST", "/mcp", b"{}", [*kinds, header])[0] == 401


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_is_refused_without_it(door, mode):
    lab, port = door
    before = len(Mailbox(lab).waiting())
    for headers in ({}, {"Authorization": RIGHT[:-1]}):
        seen = []
        with pytest.raises(ExceptionGroup):
            asyncio.run(used(port, mode, seen, headers))
        assert seen and {reply.status_code for reply in seen} == {401}
    assert len(Mailbox(lab).waiting()) == before


def test_without_a_token_it_is_said_who_can_reach_it(quiet):
    told = Told()
    with served(quiet, told=told) as port:
        check_all(asyncio.run(used(port, "auto", [], {})), "mcp:web")
    _, warned, *_ = told.text.splitlines()
    assert "any user of this machine can read this lab and propose" in warned and "--token-from VARIABLE" in warned


def test_replies_pass_as_they_come_and_what_is_not_http_is_dropped():
    passed, sent = [], []

    async def app(scope, receive, send):
        passed.append((scope["type"], receive, send))

    async def receive():
        raise AssertionError("a request was read before it was admitted")

    async def send(message):
        sent.append(message)

    door = Bearer(app, TOKEN)
    for scope in (
        {"type": "lifespan"},
        {"type": "http", "headers": [(b"authorization", RIGHT.encode())]},
        {"type": "websocket", "headers": []},
        {"type": "http", "headers": []},
    ):
        asyncio.run(door(scope, receive, send))
    assert passed == [("lifespan", receive, send), ("http", receive, send)]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert TOKEN not in repr(door)


@pytest.mark.parametrize(("value", "words"), [
    (None, "no variable of the name given"),
    ("", "empty, not 16 characters"), (TOKEN[:15], "shorter than 16 characters"),
    (f"{TOKEN} {TOKEN}", "one word of plain ASCII"), (TOKEN + "é", "one word of plain ASCII"),
    (TOKEN + "\n", "one word of plain ASCII"), ("x" * 4097, "one word of plain ASCII"),
])  # fmt: skip
def test_tokens_that_are_none(value, words, monkeypatch):
    monkeypatch.delenv("DOOR", raising=False)
    if value is not None:
        monkeypatch.setenv("DOOR", value)
    with pytest.raises(UserError, match=words) as error:
        token_of("DOOR")
    assert not value or value not in str(error.value)
    monkeypatch.setenv("DOOR", TOKEN[:16])
    assert token_of("DOOR") == TOKEN[:16]


@pytest.mark.parametrize(("more", "value", "words"), [
    (["--http", "8765", "--token-from", "DOOR"], TOKEN[:15], "--token-from DOOR: its value is shorter"),
    (["--http", "8765", "--token-from", "DOOR"], "", "--token-from DOOR: its value is empty"),
    (["--http", "8765", "--token-from", TOKEN], TOKEN, "give its name, not its value"),
    (["--http", "8765", "--token-from", ""], TOKEN, "no variable of the name given"),
    (["--token-from", "DOOR"], TOKEN, "--token-from is for HTTP: add --http PORT"),
])  # fmt: skip
def test_mistakes_are_told_in_one_line(ended, refused, more, value, words, monkeypatch):
    monkeypatch.setenv("DOOR", value)
    said = refused("mcp", "--lab", ended, *more)
    assert said.startswith("novum: --token-from") and words in said
    assert not value or value not in said
