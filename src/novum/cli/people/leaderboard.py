"""`novum authors`: who proposes well, and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import PEOPLE
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab, line, table

if TYPE_CHECKING:
    from novum.views.author_leaderboard import AuthorLine, Leaderboard

_AUTHOR_WIDTH = 28


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=PEOPLE)(authors)
    app.command(name="league", hidden=True)(authors)


def authors(
    lab: LabOption = None,
    json: JsonOption = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Draw the calibration plot, .svg or .png.")
    ] = None,
) -> None:
    """Who proposes well: what was confirmed and what it cost, and how good the predictions were."""
    from novum.lab.restore import read_index

    if output is not None:
        check_file(output)
    found = read_index(find_lab(lab)).authors.leaderboard()
    if output is not None:
        from novum.report.calibration import chart, write

        write(chart({line.author: line.bins for line in found.lines}), output)
    if json:
        print(as_json(found))
    else:
        _print(found)
        if output is not None:
            print(f"\ncalibration plot: {output}")


def _print(found: Leaderboard) -> None:
    models = any(line.tokens or line.money for line in found.lines)
    columns = ["author", "ideas", "refused", "found", "refuted", "CPU s", "gain", "gain/h", "Brier", "base"]
    columns += ["tokens", "$"] if models else []
    rows = [_row(one, models) for one in found.lines]
    table(columns, rows, right=frozenset(range(1, len(columns))))
    for author in found.lines:
        for one in author.effects:
            print(f"{one.hypothesis} by {line(author.author)}: expected {one.expected:+.3g}, found {one.realised:+.3g}")
    print(
        f"\ngain: confirmed on fresh seeds, in {found.metric}, in all and per CPU hour. Brier: squared error of the "
        "predicted\nprobabilities, smaller is better; base: of predicting for each how often any is supported.\n"
        f"{found.lab_trials} trials ({found.lab_cpu_seconds:.1f} CPU s) served no single hypothesis."
    )


def _row(line: AuthorLine, models: bool) -> list[str]:
    from novum.text.format import number

    supported = f"{line.supported}" + (f" (-{line.retracted})" if line.retracted else "")
    figures = [number(figure, 3) for figure in (line.cpu_seconds, line.confirmed_gain, line.gain_per_cpu_hour)]
    scores = ["–" if score is None else f"{score:.4f}" for score in (line.brier, line.reference)]
    author = line.author if len(line.author) <= _AUTHOR_WIDTH else line.author[: _AUTHOR_WIDTH - 1] + "…"
    spent = [f"{line.tokens:,}", f"{line.money:.2f}"] if models else []
    counts = [str(line.proposals), str(line.refused), supported, str(line.refuted)]
    return [author, *counts, *figures, *scores, *spent]
