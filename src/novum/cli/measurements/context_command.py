"""`novum context`: what a token costs as the context grows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from novum.cli.command_groups import RESULTS
from novum.cli.printing.output import JsonOption, as_json, table
from novum.core.model.errors import UserError

SHORTEST = 128
DEFAULT = ("attention", "attention-window", "linear", "mamba2", "delta", "gru")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=RESULTS)(context)


def context(
    mixers: Annotated[
        list[str] | None, typer.Argument(metavar="[MIXER]...", help="Mixers by name, as in the sequence arena.")
    ] = None,
    longest: Annotated[int, typer.Option(help="Longest context in tokens; lengths double from 128.")] = 8192,
    plot: Annotated[Path | None, typer.Option(help="Draw the costs to this .svg or .png.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure what a token costs in training and decoding as the context grows, and how fast that grows."""
    from novum.arenas.sequence.context_cost import ContextCosts, growth, measured

    if longest < 2 * SHORTEST:
        raise UserError(f"--longest {longest}: give at least {2 * SHORTEST}, so that there is something to compare")
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise UserError(f"{plot}: a chart is written as .svg or .png")
    lengths = [SHORTEST << index for index in range((longest // SHORTEST).bit_length())]
    costs = []
    for one in measured(mixers or DEFAULT, lengths):
        costs.append(one)
        print(f"{one.mixer} at {one.length} tokens: {one.training_seconds:.3g} CPU s", file=sys.stderr, flush=True)
    grown = growth(costs)
    if plot is not None:
        from novum.report.calibration import write
        from novum.report.context_cost_chart import chart

        write(chart(costs), plot)
    if json:
        print(as_json(ContextCosts(costs, grown)))
        return
    rows = [
        [
            one.mixer,
            f"{one.length}",
            f"{1e6 * one.training_seconds / one.length:.1f}",
            f"{one.training_bytes / one.length / 1024:.1f}",
            f"{1e6 * one.decoding_seconds:.0f}",
            f"{one.state_floats}",
        ]
        for one in costs
    ]
    head = ["mixer", "tokens", "training µs/token", "KiB/token", "decoding µs/token", "state floats"]
    table(head, rows, right=frozenset(range(1, 6)))
    print("\nGrowth with the length (1: as fast as the length; through the longer half of the lengths):")
    table(
        ["mixer", "training time", "training memory", "decoding time", "state"],
        [
            [one.mixer, *(f"{x:.2f}" for x in (one.training_time, one.training_memory, one.decoding_time, one.state))]
            for one in grown
        ],
        right=frozenset(range(1, 5)),
    )
