"""The way to a provider over TLS: the key goes to who can show that it is the provider, and to nobody else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from agent_labs import waiting
from certificates import Authority
from relays import Client, asked, relay_to
from upstream import EVENTS, tunnel, upstream

from novum.agents import upstream as outwards
from novum.agents.agent_task import Usage
from novum.agents.model_gateway import gateway_of
from novum.core.model.errors import UserError

KEY = "key-8b1d6f20c97e4a35"
HERE, AWAY = "127.0.0.1", "model.example"


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(autouse=True)
def environment(authority, monkeypatch):
    """A key, no proxy, and the authority that the user trusts."""
    for name in ("no_proxy", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MODEL_KEY", KEY)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    outwards._context.cache_clear()  # it is read once in a process
    yield
    outwards._context.cache_clear()


def port_of(up) -> int:
    return int(up.url.rpartition(":")[2])


def broken(up) -> str:
    """How the only connection to a provider ended, as that saw it."""
    until = time.monotonic() + 10
    while not up.broken:
        assert time.monotonic() < until
        time.sleep(0.01)
    return str(up.broken)


def test_a_request_arrives_with_the_key_and_its_tokens_are_counted(authority):
    said = []
    with upstream(tls=authority.server(HERE)) as up, relay_to(up.url, said) as way:
        assert up.url.startswith("https://")
        status, _, body = asked(way, body=b'{"a": 1}', headers={"Authorization": "Bearer mine"})
        (came,) = up.came
        (call,) = way.calls
    assert (came.path, came.body, came.headers["authorization"]) == (
        "/v1/chat/completions", b'{"a": 1}', f"Bearer {KEY}",
    )  # fmt: skip
    assert (status, call.status, call.usage, call.note) == (200, 200, Usage(100, 20), "")
    assert KEY.encode() not in body and b"[key]" in body and KEY not in str(said)


def test_events_come_back_and_are_counted(authority):
    with upstream("stream", tls=authority.server(HERE)) as up, relay_to(up.url, header="x-api-key") as way:
        status, headers, body = asked(way, path="/v1/messages")
        assert up.came[0].headers["x-api-key"] == KEY
        assert (status, headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert body.count(b"data:") == len(EVENTS) and way.calls[0].usage == Usage(10, 9)


def test_a_reply_is_passed_on_while_it_is_still_coming(authority):
    with upstream("lingering", tls=authority.server(HERE)) as up, relay_to(up.url) as way:
        client = Client(way)
        client.request("POST", "/v1/messages", b"{}")
        reply = client.getresponse()
        assert reply.read1(100) == b"slowly" and not up.ended.is_set() and not way.calls
        up.ended.set()
        assert reply.read() == b""
        client.close()


def test_by_a_proxy_that_sees_neither_request_nor_key(authority, monkeypatch):
    heard = bytearray()
    with upstream(tls=authority.server(AWAY)) as up, tunnel(port_of(up), heard) as (address, connected):
        monkeypatch.setenv("https_proxy", address)
        with relay_to(f"https://{AWAY}") as way:
            status, _, _ = asked(way)
            assert (status, way.calls[0].usage) == (200, Usage(100, 20))
        assert up.came[0].headers["authorization"] == f"Bearer {KEY}"
        assert connected[0].startswith(f"CONNECT {AWAY}:443") and KEY not in connected[0]
    assert b"completions" not in heard and KEY.encode() not in heard and len(heard) > 300


@pytest.mark.parametrize(("fault", "words", "advice", "alert"), [
    ("unknown", "unable to get local issuer certificate", "SSL_CERT_FILE", "unknown ca"),
    ("elsewhere", "not valid for", "give --gateway the name in the certificate", "bad certificate"),
    ("expired", "certificate has expired", "clock", "certificate expired"),
])  # fmt: skip
@pytest.mark.parametrize("proxied", [False, True])
def test_who_cannot_show_that_it_is_the_provider_gets_nothing(
    authority, tmp_path_factory, monkeypatch, fault, words, advice, alert, proxied
):
    host = AWAY if proxied else HERE
    shown = {
        "unknown": lambda: Authority(tmp_path_factory.mktemp("stranger")).server(host),
        "elsewhere": lambda: authority.server("evil.example", "10.9.8.7"),
        "expired": lambda: authority.server(host, days=-1),
    }[fault]()
    said, heard = [], bytearray()
    with upstream(tls=shown) as up, tunnel(port_of(up), heard) as (address, _):
        monkeypatch.setenv("https_proxy", address)
        with relay_to(f"https://{AWAY}" if proxied else up.url, said) as way:
            status, _, body = asked(way)
            (call,) = way.calls
        assert alert in broken(up) and not up.came and len(up.broken) == 1
    told = json.loads(body)["error"]["message"]
    assert status == call.status == 502 and "cannot be reached: its certificate is refused" in told
    assert words in told and advice in told and told.removeprefix("novum: ") == call.note
    assert said == [f"model: POST /v1/chat/completions 502, 0 bytes ({call.note})"]
    assert KEY not in told and KEY.encode() not in heard and bool(heard) is proxied


def test_who_speaks_no_tls_gets_nothing():
    listener, heard = socket.create_server((HERE, 0)), []

    def answer() -> None:
        line, _ = listener.accept()
        with line, suppress(OSError):
            heard.append(line.recv(1 << 16))
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            while part := line.recv(1 << 16):
                heard.append(part)

    with listener:
        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        with relay_to(f"https://{HERE}:{listener.getsockname()[1]}") as way:
            assert asked(way)[0] == 502 and "cannot be reached: SSLError" in way.calls[0].note
        answering.join(10)
    assert heard[0].startswith(b"\x16\x03") and KEY.encode() not in b"".join(heard)


def test_who_is_hung_up_on_goes_on_in_cipher_or_not_at_all(authority):
    with upstream("endless", tls=authority.server(HERE)) as up:
        connection = outwards.connected(gateway_of(up.url, None, None, 1))
        line = connection.sock
        connection.request("POST", "/v1/messages", b"{}")
        assert line.recv(4) == b"HTTP"
        time.sleep(0.2)  # more has come than was read
        outwards.hang_up(line)
        assert line.version(), "what another thread sends now would not be encrypted"
        rest = b"".join(iter(lambda: line.recv(1 << 16), b""))
        assert rest.startswith(b"/1.1 200") and set(rest.partition(b"\r\n\r\n")[2]) == {ord("x")}
        with pytest.raises(OSError, match=r"(?i)pipe|EOF"):
            line.sendall(KEY.encode())
        connection.close()


def test_a_key_goes_unencrypted_to_this_machine_alone():
    for url in (f"http://{AWAY}", "http://10.0.0.9:80", "http://127.0.0.1.evil.example", "http://localhost.evil.example",
                "http://0.0.0.0:1", "http://[fe80::1]"):  # fmt: skip
        with pytest.raises(UserError, match="a key would travel unencrypted to another machine: use https"):
            gateway_of(url, "MODEL_KEY", None, 1)
    for url in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://model.example"):
        assert gateway_of(url, "MODEL_KEY", None, 1).key == KEY


def test_from_the_shell_with_an_authority_of_the_users_own(walls, tool, guess, authority, tmp_path_factory):
    (tool / "half.txt").write_text(KEY[: len(KEY) // 2 + 2])

    def run(up, **environment):
        words = ["agent", "--lab", guess, "--readable", tool, "--gateway", up.url, "--key-from", "MODEL_KEY",
                 "--", "python", tool / "agents.py", "with_model", "{brief}"]  # fmt: skip
        given = {"env": {**os.environ, **environment}, "capture_output": True, "text": True, "check": False}
        return subprocess.run([sys.executable, "-m", "novum.cli", *map(str, words)], timeout=120, **given)

    with upstream(tls=authority.server(HERE)) as up:
        other = Authority(tmp_path_factory.mktemp("other"))
        done = run(up, SSL_CERT_FILE=str(other.file))
        assert done.returncode == 1 and not up.came and not waiting(guess)
        assert "its certificate is refused: unable to get local issuer certificate" in done.stderr, done.stderr
        assert "SSL_CERT_FILE" in done.stderr and KEY not in done.stdout + done.stderr
        done = run(up)
        assert done.returncode == 0, done.stderr
        assert up.came[0].headers["authorization"] == f"Bearer {KEY}" and "100 + 20 tokens" in done.stderr
        assert KEY not in done.stdout + done.stderr
    assert len(waiting(guess)) == 1
