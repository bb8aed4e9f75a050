"""Relays to a provider, and a client that asks them as the inside of a sandbox does."""

from __future__ import annotations

import http.client
import socket

from novum.agents.model_gateway import gateway_of
from novum.agents.relay import Relay


class Client(http.client.HTTPConnection):
    """A client on the relay's socket."""

    def __init__(self, way: Relay) -> None:
        super().__init__("127.0.0.1", timeout=20)
        self._place = str(way.socket)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._place)


def asked(way: Relay, method="POST", path="/v1/chat/completions", body=b"{}", headers=None):
    """(status, headers, body) of one request."""
    client = Client(way)
    try:
        client.request(method, path, body if method == "POST" else None, headers or {})
        reply = client.getresponse()
        return reply.status, dict(reply.headers.items()), reply.read()
    finally:
        client.close()


def relay_to(url: str, said=None, key_from="MODEL_KEY", header=None, most=200) -> Relay:
    return Relay(gateway_of(url, key_from, header, most), [].append if said is None else said.append)
