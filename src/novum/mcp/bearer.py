"""A token in front of HTTP: who does not send it is told so, and gets no further."""

from __future__ import annotations

import hmac
import os
import re
from typing import TYPE_CHECKING

from novum.core.model.errors import UserError
from novum.text.format import cut

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SHORTEST = 16
"""Characters that a token has at least: nobody guesses it."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_MAKE = "export a new one with `export NOVUM_MCP_TOKEN=$(python3 -c 'import secrets; print(secrets.token_urlsafe())')`"
_REFUSAL = (
    b"novum mcp: send the header `Authorization: Bearer TOKEN` with the token that this server was started with\n"
)


def token_of(variable: str) -> str:
    """The token in an environment variable. Raises UserError, which never repeats the token."""
    token = os.environ.get(variable)
    if token is None:  # what was given may be the token itself, so it is not repeated either
        raise UserError(
            f"--token-from: there is no variable of the name given; {_MAKE} and give its name, not its value"
        )
    named = f"--token-from {cut(variable, 60)}"
    if len(token) < SHORTEST:
        raise UserError(
            f"{named}: its value is {'shorter than' if token else 'empty, not'} {SHORTEST} characters; {_MAKE}"
        )
    if not _TOKEN.fullmatch(token):
        raise UserError(f"{named}: its value fits no header, a token is one word of plain ASCII; {_MAKE}")
    return token


class Bearer:
    """An application that only requests with the token reach. Its replies pass as they come."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it. What is neither HTTP nor allowed is dropped."""
        if scope["type"] == "lifespan" or self._admits(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send)

    def _admits(self, scope: Scope) -> bool:
        """Whether exactly one token came, and it is the right one."""
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, word = sent[0].partition(b" ") if len(sent) == 1 else (b"", b"", b"")
        return scheme.lower() == b"bearer" and hmac.compare_digest(word.strip(), self._token)


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_REFUSAL)).encode()),
        (b"www-authenticate", b'Bearer realm="novum mcp"'),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
