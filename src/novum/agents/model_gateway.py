"""Where an agent's model is, what its key is sent as, and what of its interface an agent may use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from novum.agents.gateway_proxy import proxy_of
from novum.agents.sandbox_main import PORT
from novum.core.model.errors import UserError
from novum.researchers.language.language_options import loopback
from novum.researchers.language.untrusted_text import line, without_secrets

PLACEHOLDER = "kept-outside"
"""What the sandbox finds in the place of a key: many programs do not start without one."""

_POST = frozenset({
    "/chat/completions", "/completions", "/responses", "/embeddings", "/messages", "/messages/count_tokens",
    "/api/chat", "/api/generate",
})  # fmt: skip
_GET = re.compile(r"/models(/[^/]+)?|/api/tags")
_GOOGLE = re.compile(r"/models/[^/]+:(generateContent|streamGenerateContent|countTokens)")
_VERSION = re.compile(r"/v\d+[a-z0-9]*(?=/)")
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@!$&'()*+,;=-]+)+")
_HEADER = re.compile(r"([A-Za-z0-9-]+)(?:\s*:\s*([A-Za-z][A-Za-z0-9._-]*)?)?")
_KEY = re.compile(r"[\x21-\x7e]{8,4096}")


@dataclass(frozen=True, slots=True)
class Gateway:
    """One address that requests are passed on to, and nothing else.

    prefix: path before the path of each request; openai: path that clients of OpenAI's interface put there themselves.
    header, before: the key is sent as "header: before key"; without a key nothing is sent. most: requests in all.
    more: paths that may be used besides those that ask a model.
    """

    tls: bool
    host: str
    port: int
    prefix: str = ""
    openai: str = "/v1"
    key: str = field(default="", repr=False)
    header: str = ""
    before: str = ""
    most: int = 200
    more: tuple[str, ...] = ()

    def refuses(self, method: str, path: str) -> str:
        """Why a request is not passed on, or nothing. `path` has no query."""
        if not _PATH.fullmatch(path):
            return "this is no plain path"
        rest = _VERSION.sub("", path, count=1)
        asks = method == "POST" and (rest in _POST or _GOOGLE.fullmatch(rest))
        if asks or (method == "GET" and _GET.fullmatch(rest)) or (method in ("GET", "POST") and path in self.more):
            return ""
        return "only requests to a model and for the list of models are passed on; novum agent --allow-path adds a path"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables by which programs find it from inside the sandbox."""
        here = f"http://127.0.0.1:{PORT}"
        return {
            "OPENAI_BASE_URL": here + self.openai,
            "OPENAI_API_BASE": here + self.openai,
            "OPENAI_API_KEY": PLACEHOLDER,
            "ANTHROPIC_BASE_URL": here,
            "ANTHROPIC_API_KEY": PLACEHOLDER,
        }


def gateway_of(
    url: str, key_from: str | None, key_header: str | None, most: int, more: tuple[str, ...] = ()
) -> Gateway:
    """The gateway that the options describe, with the key from its environment variable. Raises UserError."""
    parts, port = _split(url)
    host = parts.hostname or ""
    key = _key(key_from) if key_from else ""
    if key and parts.scheme == "http" and not loopback(url):
        raise UserError(f"--gateway {url}: a key would travel unencrypted to another machine: use https")
    proxy_of(host, port, tls=parts.scheme == "https")
    named = key_header or ("x-api-key" if host.endswith("anthropic.com") else "authorization: Bearer")
    if not (match := _HEADER.fullmatch(named)):
        raise UserError(f"--key-header {line(without_secrets(named), 60)!r}: write a name, or NAME: Bearer")
    for path in more:
        if not _PATH.fullmatch(path):
            raise UserError(f"--allow-path {line(path, 80)!r}: write a path such as /v1/rerank, without a query")
    path = parts.path.rstrip("/")
    prefix, openai = (path.removesuffix("/v1"), "/v1") if not path or path.endswith("/v1") else (path, "")
    if prefix and not _PATH.fullmatch(prefix):
        raise UserError(f"--gateway {line(url, 120)}: this path is not a plain one")
    return Gateway(
        tls=parts.scheme == "https",
        host=host,
        port=port,
        prefix=prefix,
        openai=openai,
        key=key,
        header=match[1].lower() if key else "",
        before=match[2] or "",
        most=most,
        more=more,
    )


def _split(url: str) -> tuple[SplitResult, int]:
    shown = line(without_secrets(url), 120)
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UserError(f"--gateway {shown}: this is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise UserError(f"--gateway {shown}: write http://HOST:PORT/PATH or https://HOST/PATH")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError(
            f"--gateway {shown}: without user, password, query or fragment; --key-from VARIABLE names a key"
        )
    return parts, port


def _key(variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key:
        raise UserError(f"--key-from {line(without_secrets(variable), 60)}: there is no such environment variable")
    if not _KEY.fullmatch(key):
        raise UserError(f"--key-from {variable}: its value is no key: one word of 8 characters or more is expected")
    return key
