"""What providers send under status 200 that is no plain answer, and requests that never leave: words, and the bill."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from contextlib import contextmanager

import model_servers as models
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.core.model.errors import StudyError
from novum.core.model.model_call import Reply
from novum.registry import Kind, build
from novum.researchers.language.endpoint.provider_reply import read_reply, words
from novum.researchers.language.language_options import parsed
from novum.researchers.language.model_request import Message, Request
from novum.researchers.language.raw_response import RawResponse, bill
from novum.researchers.language.request_worker import Caller

pytest.importorskip("pydantic_ai")

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-scripted-openai-000000000000")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-scripted-anthropic-00000000")


def request_to(model: str) -> Request:
    return Request(parsed(model, None), (Message("system", "s"), Message("user", "u")), SCHEMA, {"max_tokens": 500}, {})


def heard(model: str, timeout: float = 20.0) -> tuple[RawResponse, Request]:
    """What a request comes to, by the way that the lab sends it."""
    caller, request = Caller(timeout), request_to(model)
    call = caller.send(request)
    for thread in caller._threads:
        thread.join(30)
    caller.close()
    assert call.heard
    return call.heard, request


def from_openai(body, **more) -> tuple[RawResponse, Request]:
    with models.serving(models.Said(raw=json.dumps(body).encode(), **more)) as server:
        return heard(f"openai:gpt-4o@{server.url}/v1")


def from_anthropic(body) -> tuple[RawResponse, Request]:
    with models.serving(models.Said(raw=json.dumps(body).encode())) as server:
        return heard(f"anthropic:claude-sonnet-5@{server.url}")


USED = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
MESSAGE = {"role": "assistant", "content": "hello"}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
GOOD = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE], "usage": USED}
TEXT = {"type": "text", "text": "hello"}
CLAUDE = {"id": "x", "type": "message", "role": "assistant", "model": "c", "content": [TEXT], "stop_reason": "end_turn",
          "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 20}}  # fmt: skip


def without(body: dict, *names: str) -> dict:
    return {name: value for name, value in body.items() if name not in names}


ERRORS = {
    "an object": ({"error": {"message": "insufficient credits", "code": 402}}, "insufficient credits (402)"),
    "a text": ({"error": "model is overloaded"}, "model is overloaded"),
    "a code": ({"error": {"code": 503, "message": None}}, "503"),
    "nothing in it": ({"error": {"metadata": {}}}, "it does not say which"),
    "beside nulls": ({**GOOD, "choices": None, "usage": None, "error": {"message": "gone"}}, "gone"),
    "in a choice": ({**without(GOOD, "usage"), "choices": [{**CHOICE, "error": {"message": "upstream died"}}]}, "died"),
    "words within words": ({"error": {"error": {"message": "deep down"}}}, "deep down"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_under_status_200_is_told_in_the_providers_words_and_costs_nothing(name):
    body, said = ERRORS[name]
    told, request = from_openai(body)
    assert told.outcome is Reply.UNREACHABLE and said in told.cause and "validation" not in told.cause
    assert bill(request, told).money == 0


def test_an_error_of_anthropic_under_status_200():
    told, request = from_anthropic({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert told.outcome is Reply.UNREACHABLE and "Overloaded (overloaded_error)" in told.cause
    assert bill(request, told).money == 0


@pytest.mark.parametrize("code", [{"code": 429}, {"code": "rate_limit_exceeded"}, {"type": "rate_limit_error"}])
def test_a_limit_under_status_200_is_a_limit(code):
    told, _ = from_openai({"error": {"message": "slow down", **code}})
    assert told.outcome is Reply.RATE_LIMITED and "slow down" in told.cause


NOTHING = [
    {**GOOD, "choices": []}, {**GOOD, "choices": None}, without(GOOD, "choices"), {**GOOD, "choices": [7, None]},
    {**GOOD, "choices": "hello"},
]  # fmt: skip


@pytest.mark.parametrize("body", NOTHING)
def test_a_reply_without_choices_costs_what_the_provider_counts(body):
    told, request = from_openai(body)
    assert told.outcome is Reply.MALFORMED and "no choices" in told.cause and "Error" not in told.cause
    assert bill(request, told).input_tokens == 100
    free, request = from_openai({**without(body, "usage"), "detail": "the model is not loaded"})
    assert "it says: the model is not loaded" in free.cause
    assert bill(request, free).money == 0


@pytest.mark.parametrize("body", [None, [1], "no such route"])
def test_a_reply_that_is_no_object_is_told_as_such(body):
    for ask in (from_openai, from_anthropic):
        told, request = ask(body)
        assert told.outcome is Reply.MALFORMED and "no JSON object" in told.cause and "Error" not in told.cause
        assert bill(request, told).money == 0


OPTIONAL = [name for name in GOOD if name not in ("choices", "usage")]
ANSWERS = {
    **{f"{name} null": {**GOOD, name: None} for name in OPTIONAL},
    **{f"{name} missing": without(GOOD, name) for name in OPTIONAL},
    **{
        f"{name} of a choice null": {**GOOD, "choices": [{**CHOICE, name: None}]} for name in ("index", "finish_reason")
    },
    "no index": {**GOOD, "choices": [without(CHOICE, "index")]},
    "no role": {**GOOD, "choices": [{**CHOICE, "message": {"content": "hello"}}]},
    "role null": {**GOOD, "choices": [{**CHOICE, "message": {**MESSAGE, "role": None, "tool_calls": None}}]},
    "error null": {**GOOD, "error": None},
    "details null": {
        **GOOD,
        "usage": {**USED, "prompt_tokens_details": None, "completion_tokens_details": {"x": None}},
    },
    "another object": {**GOOD, "object": "text_completion"},
    "total null": {**GOOD, "usage": {**USED, "total_tokens": None}},
    "everything odd null": {**GOOD, "system_fingerprint": None, "service_tier": None, "prompt_filter_results": None},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_null_where_nobody_needs_it_loses_no_answer(name):
    told, request = from_openai(ANSWERS[name])
    assert (told.outcome, told.text, told.input_tokens, told.output_tokens) == (None, "hello", 100, 20), told.cause
    assert bill(request, told).money == pytest.approx(100 * 2.5e-6 + 20 * 1e-5)


@pytest.mark.parametrize("body", [
    {**CLAUDE, "id": None, "model": None, "role": None}, {**CLAUDE, "stop_reason": None},
    {**CLAUDE, "content": [{**TEXT, "citations": None}, None]}, without(CLAUDE, "id", "model", "role", "stop_sequence"),
    {**CLAUDE, "usage": {**CLAUDE["usage"], "cache_read_input_tokens": None, "server_tool_use": None}},
])  # fmt: skip
def test_nulls_of_anthropic_lose_no_answer(body):
    told, _ = from_anthropic(body)
    assert (told.outcome, told.text, told.input_tokens, told.output_tokens) == (None, "hello", 100, 20), told.cause


def test_an_answer_without_content_is_empty_and_costs_what_is_counted():
    for told, request in (
        from_anthropic({**CLAUDE, "content": None}),
        from_anthropic({**CLAUDE, "content": [{"type": "text", "text": None}]}),
        from_openai({**GOOD, "choices": [{**CHOICE, "message": None}]}),
    ):
        assert told.outcome is Reply.EMPTY and bill(request, told).output_tokens == 20


COUNTS = [
    (None, (2000, 500)), ({}, (2000, 500)), ({"prompt_tokens": None, "completion_tokens": None}, (2000, 500)),
    ({"prompt_tokens": 100, "completion_tokens": None}, (100, 500)), ({"completion_tokens": 20}, (2000, 20)),
    ({"prompt_tokens": 0, "completion_tokens": 0}, (2000, 500)),
    ({"prompt_tokens": 100, "completion_tokens": 0}, (100, 0)),
    ({"prompt_tokens": "100", "completion_tokens": True}, (2000, 500)), ([1], (2000, 500)),
]  # fmt: skip


@pytest.mark.parametrize(("usage", "counted"), COUNTS)
def test_of_an_answer_only_what_nobody_counts_is_the_worst_case(usage, counted):
    told, request = from_openai({**GOOD, "usage": usage})
    assert told.text == "hello"
    found = bill(request, told)
    most_in, most_out = (request.max_input if counted[0] == 2000 else counted[0]), counted[1]
    assert (found.input_tokens, found.output_tokens) == (most_in, most_out)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["error", "choices", "message", "content", "usage", "code", "type", "text", "prompt_tokens"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(body=JSON | st.fixed_dictionaries({"choices": JSON, "usage": JSON, "error": JSON}))
def test_any_body_is_an_answer_or_a_failure_in_words(body):
    for protocol in ("openai", "anthropic"):
        found = read_reply(json.dumps(body).encode(), protocol)
        assert isinstance(words(body), str)
        assert found.failure is None or (found.failure.outcome and found.failure.cause)


@settings(max_examples=25, deadline=None)
@given(choices=st.lists(JSON, min_size=1, max_size=2), usage=JSON)
def test_the_client_library_reads_what_is_filled_in(choices, usage):
    async def asked(body):
        return await asyncio.to_thread(from_openai, body)

    told, _ = asyncio.run(asked({"choices": [{"message": one} for one in choices], "usage": usage}))
    assert "validation error" not in told.cause


@contextmanager
def proxy(answer: bytes = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"):
    """A proxy that answers everybody alike; gives its address and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with near:
                asked.append(near.recv(4096))
                near.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


NEVER = {
    "a proxy that makes no tunnel": ("https_proxy", "http://{}", "openai:gpt-4o@https://model.invalid/v1"),
    "a proxy of no kind": ("http_proxy", "gopher://{}", "openai:gpt-4o@http://model.invalid/v1"),
    "socks": ("all_proxy", "socks5://{}", "openai:gpt-4o@http://model.invalid/v1"),
    "a name that is none": ("nothing_proxy", "", "openai:gpt-4o@http://model.invalid/v1"),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_was_never_sent_costs_nothing(name, monkeypatch):
    variable, value, model = NEVER[name]
    with proxy() as (address, _):
        monkeypatch.setenv(variable, value.format(address))
        told, request = heard(model)
    assert told.outcome is Reply.UNREACHABLE and told.cause
    assert bill(request, told).money == 0


@pytest.mark.parametrize("key", ["sk-scripted-0000\n", "sk-scripted-0000é", "sk-scripted 0000\r\nX-Evil: 1"])
def test_a_key_that_fits_no_header_sends_and_costs_nothing(key, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with models.serving("hello") as server:
        told, request = heard(f"openai:gpt-4o@{server.url}/v1")
        assert server.bodies == []
    assert bill(request, told).money == 0
    assert "sk-scripted" not in told.cause


def test_what_was_sent_and_not_answered_is_the_worst_case():
    with models.serving(models.Slow(5)) as server:
        told, request = heard(f"openai:gpt-4o@{server.url}/v1", timeout=0.5)
    assert told.outcome is Reply.TIMED_OUT and bill(request, told).money == pytest.approx(request.money)
    with models.serving(models.Reset()) as server:
        told, request = heard(f"openai:gpt-4o@{server.url}/v1")
    assert told.outcome is Reply.UNREACHABLE and bill(request, told).money == pytest.approx(request.money)


@pytest.mark.parametrize(("value", "direct"), [
    ("model.invalid", True), ("other,model.invalid", True), (".invalid", True), ("*", True), ("invalid", True),
    ("other.invalid", False), ("", False),
])  # fmt: skip
def test_no_proxy_is_honoured(value, direct, monkeypatch):
    with proxy() as (address, asked):
        monkeypatch.setenv("http_proxy", f"http://{address}")
        monkeypatch.setenv("no_proxy", value)
        told, _ = heard("openai:gpt-4o@http://model.invalid/v1")
    assert bool(asked) is not direct
    assert told.outcome is Reply.UNREACHABLE
    assert direct or asked[0].startswith(b"POST http://model.invalid/v1/chat/completions")


def test_this_machine_is_reached_by_no_proxy(monkeypatch):
    with proxy() as (address, asked), models.serving("hello") as server:
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{address}")
        assert heard(f"openai:gpt-4o@{server.url}/v1")[0].text == "hello"
        monkeypatch.setenv("all_proxy", f"socks5://{address}")
        assert heard(server.openai)[0].text == "hello"
    assert asked == []


NAMED = {
    "socks": ({"all_proxy": "socks5://user:hunter2@127.0.0.1:1080"}, "socks5://127.0.0.1:1080, which needs a package"),
    "no kind": ({"https_proxy": "gopher://127.0.0.1:70"}, "gopher://127.0.0.1:70, which is of no known kind"),
    "no address": ({"https_proxy": "http://127.0.0.1:port"}, "https_proxy|no address|no known kind|Invalid"),
    "a line break": ({"OPENAI_API_KEY": "sk-hunter2-0000000\n"}, "OPENAI_API_KEY holds a line break"),
    "no ASCII": ({"OPENAI_API_KEY": "sk-hunter2-0000000é"}, "OPENAI_API_KEY holds a character that no HTTP header"),
    "two words": ({"OPENAI_API_KEY": "Bearer sk-hunter2-0000000"}, "OPENAI_API_KEY holds a space"),
    "no key": ({"OPENAI_API_KEY": ""}, "needs a key in the environment variable OPENAI_API_KEY"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_cannot_work_is_named_at_the_start(name, monkeypatch):
    variables, said = NAMED[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(StudyError, match=said) as caught:
        build(Kind.RESEARCHER, "language", {"model": "openai:gpt-4o"})
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("NO_PROXY", "api.openai.com")
    if "proxy" in next(iter(variables)):
        build(Kind.RESEARCHER, "language", {"model": "openai:gpt-4o"}).close()


def test_a_key_of_an_endpoint_is_looked_at_too(monkeypatch):
    monkeypatch.setenv("NOVUM_API_KEY", "mine\n")
    with pytest.raises(StudyError, match="NOVUM_API_KEY holds a line break"):
        build(Kind.RESEARCHER, "language", {"model": "some@http://127.0.0.1:9/v1"})


def test_a_proxy_in_the_way_of_nobody_is_no_mistake(monkeypatch):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    build(Kind.RESEARCHER, "language", {"model": "some@http://127.0.0.1:9/v1"}).close()
