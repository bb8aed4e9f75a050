"""The proxy that leads to a gateway, by the standard library's rules: HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""

from __future__ import annotations

import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from novum.core.model.errors import UserError
from novum.researchers.language.language_options import loopback
from novum.researchers.language.untrusted_text import line


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is, and what it is sent with the request for a tunnel."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_of(host: str, port: int, *, tls: bool) -> Proxy | None:
    """The proxy on the way to an address, None for none. Raises UserError for one that cannot be used."""
    scheme = "https" if tls else "http"
    named = urllib.request.getproxies().get(scheme)
    bypassed = urllib.request.proxy_bypass(host) or urllib.request.proxy_bypass(f"{host}:{port}")
    if not named or loopback(f"{scheme}://{f'[{host}]' if ':' in host else host}") or bypassed:
        return None
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        found = Proxy(parts.hostname or "", parts.port or 80, _credentials(parts.username, parts.password))
    except ValueError:
        raise UserError(f"--gateway: the environment names a proxy for {line(host, 80)} that is no address") from None
    if parts.scheme != "http" or not found.host:
        raise UserError(
            f"--gateway: the environment leads to {line(host, 80)} by a proxy of the kind {line(parts.scheme, 20)!r}; "
            f"name one as http://HOST:PORT in {scheme.upper()}_PROXY, or put the host into NO_PROXY"
        )
    return found


def _credentials(user: str | None, password: str | None) -> dict[str, str]:
    if not user:
        return {}
    words = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(words).decode()}"}
