"""`novum interventions`: what the watchdog did, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from novum.cli.command_groups import PEOPLE
from novum.cli.printing.output import JsonOption, LabOption, as_json, find_lab, line


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=PEOPLE)(interventions)


def interventions(lab: LabOption = None, json: JsonOption = False) -> None:
    """What the watchdog did while the lab ran: when, on which alarm, about whom, and the figures behind it."""
    from novum.ledger.journal import Reader
    from novum.views.intervention_rows import interventions as of

    with Reader(find_lab(lab)) as reader:
        found = of(reader.read(kind="intervened"))
    if json:
        print(as_json(found))
        return
    if not found:
        print("the watchdog has had nothing to do")
        return
    print(f"{'event':>7}  {'UTC':<19}  {'alarm':<12}  {'done':<18}  about")
    for one in found:
        when = datetime.fromtimestamp(one.time / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
        alarm = one.alarm.replace("_", " ")
        print(f"{one.seq:>7}  {when}  {alarm:<12}  {one.done:<18}  {line(one.about) or 'the lab'}")
        for said in filter(None, (one.words, one.figures)):
            print(f"         {line(said)}")
