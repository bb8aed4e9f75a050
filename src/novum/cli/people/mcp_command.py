"""`novum mcp`: a lab behind the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from novum.cli.command_groups import PEOPLE
from novum.cli.printing.output import LabOption, find_lab
from novum.core.model.errors import MissingExtra


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=PEOPLE)(mcp)


def mcp(
    lab: LabOption = None,
    http: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=1, max=65535, help="Serve HTTP on 127.0.0.1 instead of standard input."),
    ] = None,
    name: Annotated[str, typer.Option("--as", help="The agent's name; its requests are signed mcp:NAME.")] = "agent",
    token_from: Annotated[
        str | None,
        typer.Option(metavar="VARIABLE", help="With --http: answer only who sends the bearer token in this variable."),
    ] = None,
) -> None:
    """Let a coding agent read a lab and propose, by the Model Context Protocol. It can do nothing else: docs/mcp.md."""
    try:
        from novum.mcp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "novum":
            raise
        raise MissingExtra(f"novum mcp needs {error.name}, which is not installed: pip install 'novum[mcp]'") from None
    serve(find_lab(lab), name, http, token_from)
