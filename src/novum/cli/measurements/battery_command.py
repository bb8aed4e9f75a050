"""`novum battery`: the blind rediscovery battery."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from novum.battery.target_outcome import BatteryResult
from novum.cli.command_groups import EVIDENCE
from novum.cli.printing.output import JsonOption, as_json, table


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=EVIDENCE)(battery)


def battery(
    budget: Annotated[
        str, typer.Option(help="How long, such as 60m (as much CPU time as its jobs have then), or 'cpu 2h' in all.")
    ] = "60m",
    only: Annotated[str, typer.Option(help="Names of targets, separated by commas; all without it.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of all campaigns.")] = 0,
    folder: Annotated[
        Path | None, typer.Option(help="Where labs and outcomes are kept; the same folder goes on where it stopped.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Targets at a time, each with one worker.")] = 2,
    json: JsonOption = False,
) -> None:
    """Hide known answers from the lab, let it search, and tell what it found, at what cost, beside chance."""
    from novum.battery.run_battery import Settings, run
    from novum.battery.target import chosen
    from novum.core.model.errors import UserError
    from novum.governance.hard_budget import parse_budget

    allowed = parse_budget(budget)
    seconds = allowed.cpu_seconds if allowed.wall_seconds is None else allowed.wall_seconds * jobs
    if seconds is None:
        raise UserError(f"--budget {budget}: give a time such as 60m, or CPU time such as 'cpu 2h'")
    where = folder or Path("labs") / f"battery-{seed}"
    settings = Settings(seconds, where, seed, jobs)
    found = run(chosen(only), settings, lambda line: print(line, file=sys.stderr, flush=True))
    if json:
        print(as_json(found))
    else:
        _print(found, where)
    if found.failed:
        sys.exit(1)


def _print(found: BatteryResult, where: Path) -> None:
    """The table, and what could not be run."""
    rows = [
        [
            one.name,
            "confirmed" if one.confirmed else "found" if one.found else "not found",
            f"{one.cpu_seconds:.0f}",
            f"{one.candidates:,}",
            "confirmed" if one.random_confirmed else "found" if one.random_found else "not found",
            one.recognised or one.rule,
            "yes" if one.verified else "NO",
        ]
        for one in found.targets
    ]
    table(
        ["target", "search", "CPU s", "candidates", "at random", "what it is", "holds"], rows, right=frozenset({2, 3})
    )
    for name, why in found.failed.items():
        print(f"\n{name} could not be run: {why}")
    print(
        f"\n{found.confirmed} of {len(found.targets)} found and confirmed ({found.random_found} at random), "
        f"{found.cpu_seconds:.0f} s of CPU time in all; labs and outcomes are in {where}"
    )
