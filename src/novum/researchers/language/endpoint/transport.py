"""The way of one request over HTTP: bounded, by the proxies of the environment, and known whether it was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx2

from novum.researchers.language.endpoint.provider_reply import Protocol, ProviderReply, read_reply
from novum.researchers.language.endpoint.proxies import proxy_mounts
from novum.researchers.language.language_options import loopback
from novum.researchers.language.raw_response import REPLY_BYTES

_SENDING = ".send_request_body.started"


class TooLargeError(httpx2.ReadError):
    """An answer that nobody wants to read to its end."""


@dataclass
class Exchange:
    """One request on its way. sent: whether any of its content left this process; reply: what came, once it has."""

    protocol: Protocol
    sent: bool = False
    reply: ProviderReply | None = None

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """Told by the library of each step; a request for a tunnel to a proxy is none of the request's own."""
        request = info.get("request")
        if name.endswith(_SENDING) and getattr(request, "method", b"") != b"CONNECT":
            self.sent = True


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most REPLY_BYTES."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._inner:
            size += len(part)
            if size > REPLY_BYTES:
                raise TooLargeError(f"the answer has more than {REPLY_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Transport(httpx2.AsyncBaseTransport):
    """Bounds what is read; what is compressed could be small and grow, so it is not read at all.

    It is made when it is first used: a proxy that cannot be used is in nobody's way who does not need it.
    """

    def __init__(self, exchange: Exchange, make: Callable[[], httpx2.AsyncHTTPTransport]) -> None:
        self._exchange = exchange
        self._make = make
        self._inner: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._inner = self._inner or self._make()
        request.extensions = {**request.extensions, "trace": self._exchange.trace}
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TooLargeError("the answer is compressed, which was not asked for")
        response.stream = _Bounded(cast(httpx2.AsyncByteStream, response.stream))
        if response.status_code != httpx2.codes.OK:
            return response
        data = await response.aread()
        await response.aclose()
        self._exchange.reply = read_reply(data, self._exchange.protocol)
        headers = {"content-type": response.headers.get("content-type", "")}
        return httpx2.Response(200, headers=headers, content=self._exchange.reply.data)

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()


def http_client(url: str, timeout: float, exchange: Exchange) -> httpx2.AsyncClient:
    """A client for one exchange with an address; the environment's proxies do not lead to this machine itself."""
    verify = not url.startswith("http://")  # without TLS there is nothing to verify, and certificates take long to load

    def transport(proxy: str | None) -> _Transport:
        return _Transport(exchange, lambda: httpx2.AsyncHTTPTransport(proxy=proxy, verify=verify))

    mounts = {} if loopback(url) else proxy_mounts(transport)
    headers = {"Accept-Encoding": "identity"}
    return httpx2.AsyncClient(transport=transport(None), mounts=dict(mounts), timeout=timeout, headers=headers)
