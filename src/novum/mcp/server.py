"""The server: tools over a lab, on standard input and output or on HTTP of this machine alone."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import Field

from novum.core.model.candidate import Scalar
from novum.core.model.errors import NovumError, UserError
from novum.core.model.ports import Arena
from novum.core.model.trial import OutcomeKind
from novum.core.state.campaign_state import CampaignState
from novum.lab import wiring
from novum.mcp import answers, reading
from novum.mcp.acting import AgentRequests
from novum.mcp.bearer import Bearer, token_of
from novum.mcp.http_connections import BoundedConnection
from novum.mcp.lab_reader import LabReader
from novum.mcp.nullable_parameters import nullable_signature
from novum.mcp.standard_input import serve_standard_input
from novum.report.explained import explain
from novum.text.format import cut
from novum.version import __version__

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
_OPEN = (
    "novum mcp: it asks for no token, so any user of this machine can read this lab and propose; "
    "--token-from VARIABLE asks for one"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,39}")

INSTRUCTIONS = """\
A research lab. Read study first. Propose candidates that you have reasons for; predict honestly: your probabilities are
scored. The lab decides alone, on fresh seeds that nobody knows, whether a claim is true; follow tells you. Failures and
findings show what was tried. """

P = ParamSpec("P")
R = TypeVar("R")

Last = Annotated[int, Field(ge=1, le=100, description="How many, the latest ones.")]


class Tools:
    """The tools of one agent on one lab. Docstrings and signatures are what the agent is told of them."""

    def __init__(self, directory: Path, name: str) -> None:
        self._reader = LabReader(directory)
        self._requests = AgentRequests(self._reader, f"mcp:{name}")
        self._arena: Arena | None = None

    def study(self) -> answers.Study:
        """The question, the rules, how candidates look (genes or files), the one to beat, and what budget is left."""
        with self._reader.open() as state:
            arena = self._known(state)
            return reading.study(self._reader, state, arena.space if arena else None)

    def findings(self) -> answers.Findings:
        """What has been shown so far: supported claims with evidence and size."""
        with self._reader.open() as state:
            return reading.found(state)

    def hypotheses(
        self,
        last: Last = 20,
        outcome: Annotated[str, Field(description="supported, refuted, inconclusive or failed; empty: any.")] = "",
        author: Annotated[str, Field(description="Only of this author; empty: any.")] = "",
    ) -> answers.Claims:
        """What was tried, and what came of it. Read them before proposing."""
        with self._reader.open() as state:
            return reading.claims(state, last, outcome, author)

    def hypothesis(self, name: Annotated[str, Field(description="Such as h7.")]) -> answers.Detail:
        """One hypothesis with its candidate, its rationale and its evidence."""
        with self._reader.open() as state:
            if name not in state.hypotheses:
                raise UserError(f"there is no hypothesis {cut(name, 40)!r}: see hypotheses")
            return reading.detail(state, state.hypotheses[name], explain(self._reader.index.cases, name))

    def failures(
        self,
        kind: Annotated[str, Field(description="Such as crashed, diverged or timed_out; empty: any.")] = "",
        cause: Annotated[str, Field(description="Only causes with this text in them.")] = "",
        last: Last = 20,
    ) -> answers.Failures:
        """Trials that gave no score, by kind and cause, so that nobody repeats them."""
        if kind and kind not in list(OutcomeKind):
            raise UserError(f"kind: choose from {', '.join(OutcomeKind)}")
        with self._reader.open() as state:
            return reading.failed(state, kind, cause, last)

    def log(
        self, last: Last = 30, text: Annotated[str, Field(description="Only events with this text in them.")] = ""
    ) -> answers.Log:
        """What happened lately, in words."""
        with self._reader.open():
            return reading.log(self._reader.lines, last, text)

    def league(self) -> answers.Table:
        """Who proposes well: confirmed gain, what it cost, and how good the predictions were."""
        with self._reader.open():
            return reading.table(self._reader)

    def propose(
        self,
        rationale: Annotated[str, Field(max_length=4000, description="Why it should be better.")],
        probability: Annotated[float, Field(ge=0, le=1, description="That it will be supported; it is scored.")],
        effect: Annotated[float, Field(ge=-1e9, le=1e9, description="The gain you expect, in units of gains.")] = 0.0,
        genome: Annotated[
            dict[str, Scalar | None] | None, Field(description="Genes to change; null: as it is.")
        ] = None,
        files: Annotated[dict[str, str | None] | None, Field(description="New texts by path; null: as it is.")] = None,
        edits: Annotated[str, Field(description="Search/replace blocks.")] = "",
        base: Annotated[str, Field(description="What is changed: incumbent, baseline or a hypothesis.")] = "incumbent",
    ) -> answers.Sent:
        """Propose a candidate. It is checked at once, tried by the lab like anybody's, and judged like anybody's."""
        wanted = {"genome": _said(genome), "files": _said(files), "edits": edits, "base": base}
        parents = [] if base in ("incumbent", "baseline") else [base]
        said = {"rationale": rationale, "probability": probability, "effect": effect, "parents": parents}
        with self._reader.open() as state:
            return self._requests.propose(state, self._known(state), wanted, said)

    def follow(
        self, name: Annotated[str, Field(description="What propose returned as request, or a hypothesis.")]
    ) -> answers.Status:
        """What became of a proposal: refused and why, screened, being confirmed with its evidence, or its verdict."""
        with self._reader.open() as state:
            return self._requests.follow(state, name)

    def _known(self, state: CampaignState) -> Arena | None:
        """The study's arena, if it is one of Novum's own."""
        if self._arena is None and wiring.has_arena(state.study):
            self._arena = wiring.arena(state.study)
        return self._arena


def _said(values: Mapping[str, Scalar | None] | None) -> dict[str, Scalar]:
    """The values that were given."""
    return {name: value for name, value in (values or {}).items() if value is not None}


def server(directory: Path, name: str) -> MCPServer[Any]:
    """The server of a lab for one agent. Raises UserError for a strange name."""
    if not _NAME.fullmatch(name):
        raise UserError(f"--as {cut(name, 60)!r}: a name has up to 40 letters, digits and . _ @ + -")
    made: MCPServer[Any] = MCPServer(
        "novum", version=__version__, instructions=INSTRUCTIONS + answers.FOREIGN, log_level="WARNING"
    )
    tools = Tools(directory, name)
    reads = (tools.study, tools.findings, tools.hypotheses, tools.hypothesis, tools.failures, tools.log, tools.league)
    for tool in (*reads, tools.follow):
        made.add_tool(_mended(tool), annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    made.add_tool(
        _mended(tools.propose),
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
        ),
    )
    return made


def _mended(tool: Callable[P, R]) -> Callable[P, R]:
    """A tool whose user's mistakes are told to the user, and whose optional parameters may be null."""

    @functools.wraps(tool)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return tool(*args, **kwargs)
        except NovumError as error:
            raise ToolError(cut(str(error), 2000)) from None

    call.__signature__ = nullable_signature(tool)  # type: ignore[attr-defined]
    return call


def serve(directory: Path, name: str, port: int | None, token_from: str | None = None) -> None:
    """Serve until the client goes (standard input) or until it is interrupted (HTTP). Raises UserError.

    token_from: the environment variable with the token that HTTP asks for; None asks for none.
    """
    if token_from is not None and port is None:
        raise UserError("--token-from is for HTTP: add --http PORT, or leave it out, since standard input is your own")
    token = None if token_from is None else token_of(token_from)
    made = server(directory, name)
    LabReader(directory).check()
    if port is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            # A thread waits for standard input, which no exception reaches; nothing is half written at any time.
            signal.signal(number, lambda got, _: os._exit(128 + got))
        serve_standard_input(made)
        return
    app = _application(made, port, token)
    with _listener(port) as listener:
        print(f"novum mcp: http://{HOST}:{port}/mcp for the lab {directory}, Ctrl-C ends it", file=sys.stderr)
        if token is None:
            print(_OPEN, file=sys.stderr)
        asyncio.run(_uvicorn(app).serve(sockets=[listener]))


def _uvicorn(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", http=BoundedConnection, ws="none"))


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise UserError(f"--http {port}: {os.strerror(error.errno or 0)}; choose another port") from error


def _application(made: MCPServer[Any], port: int, token: str | None) -> ASGIApp:
    """The server for HTTP: to requests that name this machine and come from no other origin, with the token."""
    here = [f"{HOST}:{port}", f"localhost:{port}"]
    security = TransportSecuritySettings(allowed_hosts=here, allowed_origins=[f"http://{one}" for one in here])
    app = made.streamable_http_app(host=HOST, transport_security=security)
    return app if token is None else Bearer(app, token)
