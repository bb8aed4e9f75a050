"""The commands that read a lab: status, findings, show."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from novum.cli.command_groups import RESULTS
from novum.cli.printing.findings import print_exploratory, print_findings, print_holdout
from novum.cli.printing.output import (
    JsonOption,
    LabOption,
    as_json,
    as_named,
    block,
    find_lab,
    genome,
    is_source,
    line,
    number,
    read_archive,
    read_state,
    table,
)
from novum.core.model.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (status, findings, show):
        app.command(rich_help_panel=RESULTS)(command)


def status(lab: LabOption = None, json: JsonOption = False) -> None:
    """What the campaign has used, what it is doing, what it found last."""
    from novum.cli.printing.live_panel import lines
    from novum.ledger.journal import is_held
    from novum.sandbox import live_readings
    from novum.views.progress import progress

    directory = find_lab(lab)
    now = progress(read_state(directory), live=live_readings.read(directory))
    if now.running and not is_held(directory):
        now = replace(now, running=False, reason="stopped without an end; `novum run` goes on from there")
    print(as_json(now) if json else "\n".join(lines(now)))


def findings(lab: LabOption = None, json: JsonOption = False) -> None:
    """Supported hypotheses with their evidence and size."""
    from novum.views.campaign_summary import findings as collect
    from novum.views.finding_views.finding_details import exploratory, holdout_line

    state = read_state(find_lab(lab))
    if json:
        print(as_json(collect(state)))
    else:
        print_findings(collect(state))
        print_exploratory(exploratory(state))
        print_holdout(holdout_line(state))


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID", callback=as_named, help="A hypothesis (h7), trial (g3.1), candidate, baseline or incumbent."
        ),
    ],
    lab: LabOption = None,
    json: JsonOption = False,
) -> None:
    """Everything the record holds about one hypothesis, trial or candidate."""
    from novum.ledger.codec import plain
    from novum.views.record_detail import detail

    found = detail(read_archive(find_lab(lab)), name)
    if found is None:
        raise UserError(f"nothing is called {name!r} in this lab: see `novum findings`, `novum failures` or the report")
    if json:
        print(as_json(found))
    else:
        _print_detail(plain(found))


def _curve(readings: list[list[float]]) -> str:
    """Progress in one line: the first and the last reading, how it went between them, and over what time."""
    from novum.text.format import sparkline

    values = [value for _, value in readings]
    if len(values) == 1:
        return f"{number(values[0])}  (1 reading, at {number(readings[0][0])} s of compute)"
    ends = f"{number(values[0])} {sparkline(values)} {number(values[-1])}"
    return f"{ends}  ({len(values)} readings, {number(readings[0][0])} to {number(readings[-1][0])} s of compute)"


def _print_detail(found: dict[str, Any]) -> None:
    source = any(is_source(value) for value in found.values() if isinstance(value, dict))
    for key, value in found.items():
        if source and key in ("candidate", "incumbent", "genome"):
            continue  # `change` says it
        if isinstance(value, dict):
            print(f"{key:<14} {genome(value)}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"{key}:")
            columns = list(value[0])
            table(columns, [[number(c) if isinstance(c, float) else str(c) for c in row.values()] for row in value])
        elif isinstance(value, str) and "\n" in value.strip():
            print("\n".join([f"{key}:", *block(value)]))
        elif key == "curve" and value:
            print(f"{key:<14} {_curve(value)}")
        else:
            print(f"{key:<14} {line(number(value) if isinstance(value, float) else str(value))}")
