"""`novum machines` and `novum worker`: machines that run a lab's trials, from the lab's side and from their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import RUN
from novum.cli.printing.output import JsonOption, LabOption, as_json, find_lab, line, table
from novum.core.model.errors import UserError

if TYPE_CHECKING:
    from novum.views.machine_table import MachineTable


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=RUN)(machines)
    app.command(rich_help_panel=RUN)(worker)


def machines(
    lab: LabOption = None,
    token: Annotated[
        bool, typer.Option("--token", help="Print what machines join with, and nothing else. Keep it like a password.")
    ] = False,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="The same, another one: nobody joins with the former any more.")
    ] = False,
    drain: Annotated[
        str | None, typer.Option(metavar="ID", help="Give this machine no more trials; what it runs is finished.")
    ] = None,
    remove: Annotated[
        str | None, typer.Option(metavar="ID", help="Send this machine away; what it runs is run again elsewhere.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Machines that run a lab's trials: who works, since when, how fast, and what failed there."""
    from novum.cli.printing.output import read_state
    from novum.views.machine_table import machine_table

    if token or new_token:
        print(_token(lab, new=new_token))
        return
    directory = find_lab(lab)
    if machine := drain or remove:
        _send_away(directory, machine, now=remove is not None)
    found = machine_table(read_state(directory), str(directory))
    if json:
        print(as_json(found))
    else:
        _print(found)


def _token(lab: Path | None, *, new: bool) -> str:
    """The token of a lab, also of one that has not begun."""
    from novum.executors.remote.credentials import LabCredentials

    credentials = LabCredentials(lab or find_lab(None))
    if new:
        credentials.renew()
    return str(credentials.token)


def _send_away(directory: Path, machine: str, *, now: bool) -> None:
    from novum.cli.ask import user
    from novum.core.model.request import Act
    from novum.governance.mailbox import Mailbox
    from novum.ledger.journal import is_held

    if not is_held(directory):
        raise UserError(f"no session runs in {directory}, so no machine works for it")
    Mailbox(directory).send(Act.DRAIN, user(), {"machine": machine, "now": now})
    print(f"asked the lab to part with {machine}", file=sys.stderr)


def _print(found: MachineTable) -> None:
    if not found.machines:
        print("no machine has joined this lab: its trials run on its own (docs/machines.md says how to add some)")
        return
    rows = []
    for one in found.machines:
        speed = "" if one.trials_per_cpu_minute is None else f"{one.trials_per_cpu_minute:.3g}"
        numbers = [str(one.slots), str(one.trials), f"{one.cpu_seconds:.1f}", speed, str(one.failed), str(one.lost)]
        since, state = f"{one.session}, {one.joined:.0f} s", "works" if one.here else "left"
        rows.append([one.id, one.kind[:6], since, *numbers, state])
    columns = ["machine", "kind", "since", "slots", "trials", "CPU s", "per CPU min", "failed", "lost", ""]
    table(columns, rows, right=frozenset(range(3, 9)))
    for one in found.machines:
        if not one.here:
            print(line(f"{one.id} has left: {one.reason}"))
    for kind in dict.fromkeys(one.kind for one in found.machines):
        one = next(one for one in found.machines if one.kind == kind)
        packages = ", ".join(f"{name} {version}" for name, version in one.packages.items())
        words = f"{one.processor}; {one.system}; {one.python}; {packages}; {one.isolation}"
        print(line(f"kind {kind[:6]}: {words}; probe {one.probe[:12] or 'differs from run to run'}"))
    if found.kinds > 1:
        print("Machines of several kinds are here: both runs of a pair go to machines of one kind.")


def worker(
    connect: Annotated[str, typer.Option("--connect", metavar="HOST:PORT", help="Where the lab listens.")],
    token_from: Annotated[
        str, typer.Option("--token-from", metavar="VARIABLE", help="The environment variable that holds the token.")
    ] = "NOVUM_TOKEN",
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that holds the token, in place of a variable.")
    ] = None,
    slots: Annotated[int | None, typer.Option(min=1, max=4096, help="Trials at once. Default: one per core.")] = None,
    name: Annotated[str, typer.Option(help="What the lab calls this machine. Default: its host name.")] = "",
    give_up: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="End after so long without a lab that answers.")
    ] = 600.0,
) -> None:
    """Run trials for a lab on another machine, until that lab ends or sends this one away."""
    from novum.executors.remote.credentials import parse_token
    from novum.executors.remote.worker import Work, parse_address, work
    from novum.lab.wiring import cores
    from novum.ledger.novum_code import code_hash

    host, port = parse_address(connect)
    token = parse_token(*_told(token_from, token_file))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    asked = Work(host, port, token, slots or cores(), give_up, cache / "novum" / "code", code_hash(), name)
    reason = work(asked, lambda words: print(line(words), flush=True))
    print(line(reason))
    if reason.startswith(("the lab has refused", "the token is of", "no lab at", "its trials need")):
        sys.exit(2)


def _told(variable: str, file: Path | None) -> tuple[str, str]:
    """What should be a token, and where it was found. Raises UserError."""
    if file:
        try:
            return file.read_text(errors="replace"), str(file)
        except OSError as error:
            raise UserError(f"--token-file {file}: {error.strerror or error}") from None
    if variable not in os.environ:
        raise UserError(
            f"the environment variable {variable} is not set: put there what `novum machines --lab LAB --token` "
            "prints on the lab's machine"
        )
    return os.environ.pop(variable), f"the environment variable {variable}"
