"""The server over standard input: what cannot be read as a message is answered as the protocol (JSON-RPC 2.0) says."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError


def serve_standard_input(made: MCPServer[Any]) -> None:
    """Serve until the client goes."""
    anyio.run(_serve, made)


async def _serve(made: MCPServer[Any]) -> None:
    inner = made._lowlevel_server
    async with stdio_server() as (incoming, outgoing):
        await inner.run(Answering(incoming, outgoing), outgoing, inner.create_initialization_options())


class Answering:
    """The stream of messages that come in; who sends something else is told so, and the stream goes on."""

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    @property
    def last_context(self) -> Any:
        """What the sender of the last message had around it."""
        return getattr(self._incoming, "last_context", None)

    async def receive(self) -> SessionMessage:
        """The next message."""
        while isinstance(item := await self._incoming.receive(), Exception):
            await self._answer(item)
        message: SessionMessage = item
        return message

    async def _answer(self, error: Exception) -> None:
        if (answer := answer_to(error)) is not None:
            await self._outgoing.send(SessionMessage(answer))

    def __aiter__(self) -> Answering:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Take nothing more."""
        await self._incoming.aclose()

    async def __aenter__(self) -> Answering:
        await self._incoming.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        ended: bool | None = await self._incoming.__aexit__(kind, error, trace)
        return ended


def answer_to(error: Exception) -> JSONRPCError | None:
    """What somebody is told whose line is no message; nothing for an empty line."""
    details = error.errors() if isinstance(error, ValidationError) else []
    broken = next((one for one in details if one["type"] == "json_invalid"), None)
    if broken is not None:
        if not str(broken["input"]).strip():
            return None
        return _error(None, PARSE_ERROR, f"Parse error: {str(broken['msg'])[:200]}")
    given = next((one["input"] for one in details if isinstance(one["input"], dict)), {})
    known = given.get("id") if isinstance(given.get("id"), str | int) else None
    return _error(known, INVALID_REQUEST, "Invalid request: this is JSON, but no message of the protocol")


def _error(request: str | int | None, code: int, words: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request, error=ErrorData(code=code, message=words))
