"""Which proxy leads to an address: by the rules of the HTTP library, which reads HTTP_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from novum.core.model.errors import StudyError
from novum.researchers.language.language_options import loopback
from novum.researchers.language.untrusted_text import line

T = TypeVar("T")

_SOCKS, _HTTP = ("socks5", "socks5h"), ("http", "https")


def proxy_mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """What the environment says of proxies, as the library's own patterns; None stands for the direct way."""
    from httpx2._utils import get_environment_proxies

    return {pattern: None if proxy is None else make(proxy) for pattern, proxy in get_environment_proxies().items()}


def proxy_of(url: str) -> str | None:
    """The proxy that leads to an address, None for none. This machine is never reached by one."""
    if loopback(url) or not set(getproxies()) & {"http", "https", "all"}:
        return None
    import httpx2

    class Asked(httpx2.BaseTransport):
        """Notes that it was chosen, and sends nothing."""

        def __init__(self, proxy: str | None) -> None:
            self.proxy = proxy

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            chosen.append(self.proxy)
            return httpx2.Response(200, request=request)

    chosen: list[str | None] = []
    with httpx2.Client(transport=Asked(None), mounts=dict(proxy_mounts(Asked))) as client:
        client.get(url)
    return chosen[0]


def check_proxy(url: str, setting: str) -> None:
    """Raises StudyError where the proxy of an address cannot be used from here. setting: what names the address."""
    proxy = proxy_of(url)
    if proxy is None:
        return
    host = line(urlsplit(url).hostname or "", 80)
    try:
        parts = urlsplit(proxy)
        shown = line(f"{parts.scheme}://{parts.hostname or ''}", 80) + (f":{parts.port}" if parts.port else "")
    except ValueError:
        raise StudyError(f"{setting}: the environment names a proxy for {host} that is no address") from None
    named = f"{setting}: the environment leads to {host} by the proxy {shown}"
    if parts.scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise StudyError(
            f"{named}, which needs a package that is not installed: pip install socksio, name an HTTP proxy, or put "
            f"{host} into NO_PROXY"
        )
    if parts.scheme not in (*_SOCKS, *_HTTP) or not parts.hostname:
        raise StudyError(f"{named}, which is of no known kind: write http://HOST:PORT, or put {host} into NO_PROXY")
