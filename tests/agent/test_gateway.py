"""The way from a sandbox to a model: what passes, what does not, and that the key stays outside."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from pathlib import Path

import pytest
from agent_labs import waiting
from relays import Client, asked, relay_to
from upstream import EVENTS, tunnel, upstream

from novum.agents import proxy_connection, relay
from novum.agents.agent_task import Usage
from novum.agents.gateway_proxy import proxy_of
from novum.agents.model_gateway import PLACEHOLDER, gateway_of
from novum.agents.relay import CONNECTIONS
from novum.agents.token_meter import Meter, Scrubber
from novum.core.model.errors import UserError
from novum.sandbox import SandboxStatus, Tier

KEY = "key-5f2c9a17d3b84e60"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("MODEL_KEY", KEY)


def test_a_request_goes_out_with_the_key_and_nothing_else_of_the_agents():
    said = []
    with upstream() as up, relay_to(up.url, said) as way:
        mine = {"Authorization": "Bearer mine", "X-Api-Key": "mine", "Cookie": "mine", "Api-Key": "mine",
                "Proxy-Authorization": "mine", "OpenAI-Organization": "theirs", "anthropic-version": "2023-06-01",
                "X-Goog-Api-Key": "mine", "Content-Type": "application/json", "Host": "evil"}  # fmt: skip
        status, headers, body = asked(
            way, path="/v1/chat/completions?key=mine&beta=true", body=b'{"a": 1}', headers=mine
        )
        (came,) = up.came
        (call,) = way.calls
    assert status == 200 and "set-cookie" not in {name.lower() for name in headers}
    assert (came.method, came.path, came.body) == ("POST", "/v1/chat/completions?beta=true", b'{"a": 1}')
    assert came.headers["authorization"] == f"Bearer {KEY}" and came.headers["anthropic-version"] == "2023-06-01"
    assert "mine" not in str(came.headers) and "theirs" not in str(came.headers) and "evil" not in str(came.headers)
    assert KEY.encode() not in body and b"Bearer " in body  # the provider told what it was sent
    assert (call.status, call.sent, call.usage) == (200, 8, Usage(100, 20)) and call.received > 100
    assert said == [f"model: POST /v1/chat/completions 200, {call.received} bytes, 100 + 20 tokens"]


def test_events_are_passed_on_as_they_come_and_counted():
    with upstream("stream") as up, relay_to(up.url, header="x-api-key") as way:
        status, headers, body = asked(way, path="/v1/messages")
        assert up.came[0].headers["x-api-key"] == KEY and "authorization" not in up.came[0].headers
        assert status == 200 and headers["content-type"].startswith("text/event-stream")
        assert body.count(b"data:") == len(EVENTS)
        assert way.calls[0].usage == Usage(10, 9)


def test_one_connection_serves_many_requests():
    with upstream() as up, relay_to(up.url) as way:
        client = Client(way)
        for _ in range(3):
            client.request("POST", "/v1/messages", b"{}")
            assert json.loads(client.getresponse().read())["usage"]
        client.close()
        assert len(up.came) == len(way.calls) == 3


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/v1/files"), ("POST", "/v1/files"), ("DELETE", "/v1/models/x"), ("PUT", "/v1/messages"), ("GET", "/"),
    ("POST", "/v1/threads/t/messages"), ("POST", "/v1/../admin"), ("POST", "/v1/%2e%2e/messages"),
    ("CONNECT", "evil:443"),
    ("POST", "http://127.0.0.1:1/v1/messages"), ("POST", "//evil/v1/messages"), ("GET", "/v1/responses/r1"),
    ("POST", "/v1/messages/batches"), ("GET", "/v1/models/a/b"), ("POST", "/v1/messages/"),
])  # fmt: skip
def test_nothing_but_questions_to_models_passes(method, path):
    with upstream() as up, relay_to(up.url) as way:
        status, _, _ = asked(way, method, path)
        assert status in (403, 501) and not up.came


def test_paths_that_ask_models():
    way = gateway_of("https://example.org/proxy", "MODEL_KEY", None, 5, ("/v1/rerank",))
    for path in ("/v1/responses", "/chat/completions", "/v1/embeddings", "/api/chat", "/v1/messages/count_tokens",
                 "/v1beta/models/g-2:generateContent", "/v1/rerank"):  # fmt: skip
        assert not way.refuses("POST", path), path
    for path in ("/v1/models", "/v1/models/gpt", "/api/tags"):
        assert not way.refuses("GET", path), path


@pytest.mark.parametrize(("act", "status", "words"), [
    ("redirect", 502, "redirects (307)"), ("squeezed", 502, "compressed"),
])  # fmt: skip
def test_replies_that_are_not_passed_back(act, status, words):
    with upstream(act) as up, relay_to(up.url) as way:
        found, headers, body = asked(way)
        assert (found, len(up.came)) == (status, 1) and "location" not in headers
        assert words in json.loads(body)["error"]["message"] and words in way.calls[0].note


def test_errors_of_the_provider_pass_without_the_key():
    with upstream("wrong") as up, relay_to(up.url) as way:
        status, _, body = asked(way)
    assert status == 401 and json.loads(body)["error"]["message"] == "bad key Bearer [key]"
    with relay_to("http://127.0.0.1:9") as way:
        status, _, body = asked(way)
    assert status == 502 and "cannot be reached" in json.loads(body)["error"]["message"]


def test_replies_that_break_off_are_broken_off_here(monkeypatch):
    monkeypatch.setattr(proxy_connection, "REPLY_BYTES", 1 << 20)
    for act in ("cut_off", "endless"):
        with upstream(act) as up, relay_to(up.url) as way:
            with pytest.raises(http.client.IncompleteRead):
                asked(way)
            up.ended.set()
            assert way.calls[0].note


def test_requests_are_counted_and_bounded(monkeypatch):
    monkeypatch.setattr(relay, "_REFUSALS", 2)
    monkeypatch.setattr(proxy_connection, "REQUEST_BYTES", 100)
    with upstream() as up, relay_to(up.url, most=2) as way:
        statuses = [asked(way)[0] for _ in range(6)]
        assert statuses == [200, 200, 403, 403, 403, 403] and len(up.came) == 2
        assert len(way.calls) == 4 and "--max-requests" in way.calls[2].note
    with upstream() as up, relay_to(up.url) as way:
        assert asked(way, body=b"x" * 101)[0] == 413
        assert asked(way, headers={"Transfer-Encoding": "chunked"})[0] == 411
        client = Client(way)
        client.connect()
        client.sock.sendall(b"POST /v1/messages HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 30\r\n\r\n{}")
        assert client.sock.recv(100).startswith(b"HTTP/1.1 400")
        client.close()
        assert not up.came


def test_a_flood_of_connections_is_cut_off():
    with upstream() as up, relay_to(up.url) as way:
        clients, before = [], set(handlers())
        for _ in range(CONNECTIONS + 20):
            clients.append(socket.socket(socket.AF_UNIX))
            clients[-1].connect(str(way.socket))
        time.sleep(0.2)
        assert len(set(handlers()) - before) <= CONNECTIONS
        for client in clients:
            client.close()
        until = time.monotonic() + 10
        while set(handlers()) - before:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert asked(way)[0] == 200


def handlers():
    return [one for one in threading.enumerate() if "process_request_thread" in one.name]


def test_it_ends_with_its_block_whatever_is_under_way():
    with upstream("silent") as up:
        with relay_to(up.url) as way:
            answers = []
            asking = threading.Thread(target=lambda: answers.append(asked(way)), daemon=True)
            asking.start()
            while not up.came:
                time.sleep(0.01)
            place, began = way.socket, time.monotonic()
        asking.join(5)
        assert answers[0][0] == 502 and way.calls[0].status == 502
        assert not asking.is_alive() and time.monotonic() - began < 10 and not place.parent.parent.exists()


def test_by_the_proxy_of_the_environment(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with upstream() as up, tunnel(int(up.url.rpartition(":")[2])) as (address, connected):
        monkeypatch.setenv("http_proxy", address)
        with relay_to("http://model.example:8000", key_from=None) as way:
            assert asked(way)[0] == 200
        assert connected[0].startswith("CONNECT model.example:8000") and "Basic dXNlcjp3b3Jk" in connected[0]
        assert "authorization" not in up.came[0].headers and "proxy-authorization" not in up.came[0].headers


def test_addresses_and_keys():
    way = gateway_of("https://api.anthropic.com", "MODEL_KEY", None, 9)
    assert (way.tls, way.host, way.port, way.header, way.before) == (True, "api.anthropic.com", 443, "x-api-key", "")
    assert KEY not in repr(way) and KEY not in str(way.environment)
    assert way.environment["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8123"
    assert way.environment["OPENAI_BASE_URL"] == "http://127.0.0.1:8123/v1"
    assert way.environment["OPENAI_API_KEY"] == way.environment["ANTHROPIC_API_KEY"] == PLACEHOLDER
    way = gateway_of("http://127.0.0.1:8080/api/v1/", None, None, 9)
    assert (way.prefix, way.openai, way.header, way.key) == ("/api", "/v1", "", "")
    way = gateway_of("https://x.org/v1beta/openai", "MODEL_KEY", "Authorization: Token", 9)
    assert (way.prefix, way.openai, way.header, way.before) == ("/v1beta/openai", "", "authorization", "Token")
    assert way.environment["OPENAI_BASE_URL"] == "http://127.0.0.1:8123"
    assert gateway_of("http://10.0.0.9:11434", None, None, 9).host == "10.0.0.9"


@pytest.mark.parametrize(("url", "given", "words"), [
    ("ftp://x", {}, "write http"), ("x.org", {}, "write http"), ("http://", {}, "write http"),
    ("http://u:p@x.org", {}, "without user"), ("http://x.org/?a=1", {}, "without user"),
    ("http://x:99999", {}, "no address"),
    ("http://x.org", {"key_from": "MODEL_KEY"}, "unencrypted"), ("https://x.org/a/../b", {}, "plain"),
    ("https://x.org", {"key_from": "NO_SUCH_VARIABLE"}, "no such environment variable"),
    ("https://x.org", {"key_from": "ODD_KEY"}, "no key"), ("https://x.org", {"key_header": "a b"}, "--key-header"),
    ("https://x.org", {"more": ("v1/x?y",)}, "--allow-path"), ("https://x.org\n", {}, "write http"),
])  # fmt: skip
def test_addresses_that_are_refused(url, given, words, monkeypatch):
    monkeypatch.setenv("ODD_KEY", "two words")
    with pytest.raises(UserError, match=words):
        gateway_of(url, **{"key_from": None, "key_header": None, "most": 1, **given})


def test_tokens_by_provider():
    for value, counted in [
        ({"usage": {"input_tokens": 5, "cache_creation_input_tokens": 2, "output_tokens": 3}}, Usage(7, 3)),
        ({"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}}, Usage(5, 3)),
        ({"prompt_eval_count": 5, "eval_count": 3}, Usage(5, 3)),
        ({"usage": {"prompt_tokens": True, "completion_tokens": -3}}, Usage()),
        ({"usage": {"prompt_tokens": 1e30, "completion_tokens": "x"}}, Usage()),
        ({"usage": [1], "message": "usage"}, Usage()),
    ]:
        meter = Meter("application/json")
        meter.feed(json.dumps(value).encode())
        assert meter.end() == counted
    for told in (
        b"usage {",
        b"[" * 100_000 + b"usage",
        b'data: {"usage": 3}\n\ndata: [DONE]\n\n',
        b"usage " * 3_000_000,
    ):
        for kind in ("application/json", "text/event-stream"):
            meter = Meter(kind)
            for at in range(0, len(told), 1 << 16):
                meter.feed(told[at : at + (1 << 16)])
            assert meter.end() == Usage()
    meter = Meter("text/event-stream")
    meter.feed(b'data: {"type": "response.completed", "response": {"usage": {"input_tokens": 4, "output_tokens": 2}}}')
    assert meter.end() == Usage(4, 2)


def test_a_key_is_taken_out_wherever_the_stream_is_cut():
    rng = random.Random(1)
    for _ in range(300):
        key = "".join(rng.choice("ab") for _ in range(rng.randint(2, 6)))
        text = "".join(rng.choice(["a", "b", key, "c"]) for _ in range(rng.randint(0, 12)))
        scrubber, found, at = Scrubber(key), b"", 0
        while at < len(text):
            step = rng.randint(1, 5)
            found += scrubber.feed(text[at : at + step].encode())
            at += step
        found += scrubber.end()
        assert found.decode() == text.replace(key, "[key]")
    untouched = Scrubber("")
    assert untouched.feed(b"abc") == b"abc" and untouched.end() == b""


def test_an_agent_works_with_a_model_and_the_key_is_nowhere_inside(agents, guess, tool):
    (tool / "half.txt").write_text(KEY[: len(KEY) // 2 + 2])
    with upstream() as up:
        one = agents.run(guess, "with_model", gateway=gateway_of(up.url, "MODEL_KEY", None, 10))
    assert one.request, (one.failure, one.log)
    assert up.came[0].headers["authorization"] == f"Bearer {KEY}" and len(up.came) == 1
    assert b"# Brief" in up.came[0].body
    told = json.loads(one.log)
    assert told["refused"] == [403, 403]
    assert set(told["found"]) <= {str(tool / "half.txt")}
    assert KEY not in told["echoed"]
    (request,) = waiting(guess)
    assert KEY not in json.dumps(request.body)
    kept = request.body["transcript"]
    assert (kept["input_tokens"], kept["output_tokens"]) == (one.input_tokens, one.output_tokens) == (100, 20)
    assert "STEP = 2.0" in request.body["genome"]["solver.py"]
    assert [call.status for call in one.calls] == [200, 403, 403]


def test_an_agent_may_ask_so_often_and_no_more(agents, guess):
    with upstream() as up:
        one = agents.run(guess, "talkative", gateway=gateway_of(up.url, "MODEL_KEY", "x-api-key", 2))
        assert json.loads(one.log) == [200, 200, 403, 403] and len(up.came) == 2
        assert up.came[0].headers["x-api-key"] == KEY
        assert one.failure and not waiting(guess)


@pytest.mark.alone
def test_a_model_that_says_nothing_holds_nobody_up(agents, guess):
    with upstream("silent") as up:
        one = agents.run(guess, "stubborn", gateway=gateway_of(up.url, None, None, 2), seconds=2.0)
        assert "ran longer" in one.failure and len(up.came) == 1


def test_without_a_network_of_its_own_there_is_no_gateway(agents, guess, monkeypatch):
    monkeypatch.setattr("novum.agents.agent_session.sandbox_status", lambda: SandboxStatus(Tier.LANDLOCK, "", (), ""))
    with pytest.raises(UserError, match="tier landlock has no sockets"):
        agents.session(guess, "improve", gateway=gateway_of("http://127.0.0.1:9", None, None, 1))


def test_sockets_are_in_a_private_place():
    with relay_to("http://127.0.0.1:9") as way:
        assert Path(way.socket.parent.parent).stat().st_mode & 0o777 == 0o700
        assert [one.name for one in way.socket.parent.iterdir()] == ["socket"]


def test_a_stream_that_never_ends_ends_with_the_relay():
    with upstream("lingering") as up:
        with relay_to(up.url) as way:
            client = Client(way)
            client.request("POST", "/v1/messages", b"{}", {"Accept": "a\r\n b"})
            reply = client.getresponse()
            assert reply.read1(100) == b"slowly"
            began = time.monotonic()
        assert time.monotonic() - began < 10 and way.calls[0].received == len("slowly")
        assert "accept" not in up.came[0].headers
        reply.close()
        client.close()


@pytest.mark.parametrize("value", ["model.example", "other,.example", "model.example:8000", "*"])
def test_no_proxy_is_honoured(monkeypatch, value):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert proxy_of("model.example", 8000, tls=False).port == 9
    monkeypatch.setenv("no_proxy", value)
    assert proxy_of("model.example", 8000, tls=False) is None


@pytest.mark.parametrize(("proxy", "words"), [
    ("socks5://user:hunter2@127.0.0.1:1080", "a proxy of the kind 'socks5'"), ("https://127.0.0.1:3128", "'https'"),
    ("http://127.0.0.1:port", "that is no address"), ("http://:3128", "name one as http://HOST:PORT"),
])  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_named_at_the_start(monkeypatch, proxy, words):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UserError, match=words) as caught:
        gateway_of("https://model.example/v1", None, None, 9)
    assert "hunter2" not in str(caught.value)
    gateway_of("http://127.0.0.1:8080/v1", None, None, 9)
    monkeypatch.setenv("no_proxy", "model.example")
    gateway_of("https://model.example/v1", None, None, 9)
