"""The command line: `novum --help` lists its commands in their groups."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Annotated

import typer

from novum.cli.command_groups import GroupedCommands
from novum.cli.printing.output import line
from novum.core.model.errors import NovumError, UserError
from novum.version import __version__

app = typer.Typer(
    name="novum",
    cls=GroupedCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An automated AI research lab: proposes hypotheses, runs experiments, keeps what holds.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """An automated AI research lab: proposes hypotheses, runs experiments, keeps what holds."""


COMMANDS = (
    "run",
    "read",
    "catalog",
    "record",
    "lookup",
    "export",
    "replay_commands",
    "own_programs",
    "ask",
    "people.approvals_inbox",
    "people.leaderboard",
    "people.agent_command",
    "people.mcp_command",
    "watchdog_log",
    "explain",
    "schema_command",
    "help_command",
    "machine_commands",
    "measurements.context_command",
    "measurements.battery_command",
    "measurements.scale_command",
)
"""Modules of this package that add commands, each by a function `register(app)`."""


def application() -> typer.Typer:
    """The application with its commands, which a process registers once."""
    if not app.registered_commands:
        for name in COMMANDS:
            importlib.import_module(f"novum.cli.{name}").register(app)
    return app


def main() -> None:
    """Entry point. Exit status: 0 done, 1 the record or lab is at fault, 2 the user can mend it, 130 interrupted."""
    _hear_interrupts()
    try:
        _check_words(sys.argv[1:])
        application()()
    except UserError as error:
        _fail(str(error), 2)
    except NovumError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted: what is recorded is kept, the same command goes on from there", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror or error}; give another path, or make this one usable", 2)


def _hear_interrupts() -> None:
    """Ctrl-C and SIGINT end a command however it was started: a script's background job inherits them ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _check_words(words: list[str]) -> None:
    """Raises UserError for bytes that are no text: they could be neither shown nor recorded."""
    for word in words:
        if not word.isascii() and any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UserError(f"argument {word[:80]!r}: this is not UTF-8 text; rename the file, or type it again")


def _fail(message: str, status: int) -> None:
    print(f"novum: {line(message)}", file=sys.stderr)
    sys.exit(status)
