"""`novum schema`: the JSON schema of what a command prints with `--json`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from novum.cli.command_groups import SETUP
from novum.core.model.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=SETUP)(schema)


def schema(
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="A command that knows --json. Default: all.")] = "",
) -> None:
    """The JSON schema of what a command prints with --json, or of all commands by their names."""
    from novum.cli.printing.json_schema import OUTPUTS, json_schema

    if command and command not in OUTPUTS:
        raise UserError(f"{command!r} prints no JSON: one of {', '.join(OUTPUTS)}")
    found = json_schema(command) if command else {name: json_schema(name) for name in OUTPUTS}
    print(json.dumps(found, indent=2))
