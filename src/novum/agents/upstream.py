"""One request to the model's provider, by the standard library: no redirect is followed, nothing is compressed."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from novum.agents.gateway_proxy import proxy_of
from novum.agents.model_gateway import Gateway

CONNECT_SECONDS, SECONDS = 30.0, 600.0
"""For a connection to a provider, and its longest silence afterwards."""

_PASSED = (
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-encoding",
    "content-type",
    "openai-beta",
    "user-agent",
)
"""Headers of a request that are passed on. All others, whatever a key may be called among them, stay here."""

_ADVICE = {
    **dict.fromkeys(
        (9, 10), "look at this machine's clock; where it is right, only the owner can renew the certificate"
    ),
    **dict.fromkeys((62, 64), "give --gateway the name in the certificate; nobody else may be given the key"),
}
"""What to do, by what the verification says: not valid yet, or not any more; another host, another address."""

_AUTHORITY = "to trust who signed it, such as your company's proxy, name a file with their certificate in SSL_CERT_FILE"


def send(gateway: Gateway, connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str],
         body: bytes) -> http.client.HTTPResponse:  # fmt: skip
    """Send a request with the key, and return the reply's beginning. Raises OSError, HTTPException."""
    passed = {name: value for name in _PASSED if (value := headers.get(name, "")) and value.isprintable()}
    passed |= {"accept-encoding": "identity"}
    if gateway.key:
        passed[gateway.header] = f"{gateway.before} {gateway.key}".strip()
    connection.request(method, gateway.prefix + target, body if method == "POST" else None, passed)
    return connection.getresponse()


def connected(gateway: Gateway) -> http.client.HTTPConnection:
    """An open connection, by the proxy of the environment where there is one. Raises OSError, UserError."""
    proxy = proxy_of(gateway.host, gateway.port, tls=gateway.tls)
    host, port = (proxy.host, proxy.port) if proxy else (gateway.host, gateway.port)
    made: http.client.HTTPConnection
    if gateway.tls:
        made = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=_context())
    else:
        made = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    if proxy:
        made.set_tunnel(gateway.host, gateway.port, dict(proxy.headers))
    made.connect()
    made.sock.settimeout(SECONDS)
    return made


def hang_up(line: socket.socket) -> None:
    """End a connection that another thread may be reading from or writing to."""
    with suppress(OSError):  # the method of a TLS socket would first let that thread go on without encryption
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def reason(error: Exception) -> str:
    """Why a provider was not reached, and what to do where it is for its certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _ADVICE.get(error.verify_code, _AUTHORITY)
        return f"its certificate is refused: {error.verify_message.rstrip('.')}; {advice}"
    return type(error).__name__


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
