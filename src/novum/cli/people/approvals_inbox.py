"""`novum inbox`: what people are asked to decide on, with everything that is cut from it said to be cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import PEOPLE
from novum.cli.printing.output import JsonOption, LabOption, as_json, block, find_lab, line

if TYPE_CHECKING:
    from novum.views.approval_requests import Waiting

MAX_CHANGE = 8000
MAX_LINE = 400
"""Characters of a change, and of one of its lines, that are shown unless everything is asked for."""

FullOption = Annotated[bool, typer.Option("--full", help="Each change from its beginning to its end.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=PEOPLE)(inbox)


def inbox(lab: LabOption = None, full: FullOption = False, json: JsonOption = False) -> None:
    """What waits for people's approval: who wants what, of which content, until when."""
    from novum.lab.restore import read_lab
    from novum.views.approval_requests import waiting

    found = waiting(read_lab(find_lab(lab)))
    if json:
        print(as_json(found))
        return
    for one in found:
        print("\n".join(_lines(one, full=full)))
    print(f"{len(found)} waiting" if found else "nothing waits for approval")


def _lines(one: Waiting, *, full: bool) -> Iterator[str]:
    """A question; every line of a text that somebody else wrote is marked, and stays one line."""
    yield f"{one.id}  {line(one.author)} wants to {one.act}: {line(one.summary)}"
    yield f"    content {one.content}; about {one.cost}; expires after {one.expires_in:.0f} s; {one.votes}"
    for words in one.remarks:
        yield f"    critic: {line(words)}"
    whole = block(one.change)
    shown = whole if full else list(_beginning(whole))
    yield from shown
    missing, short = len(whole) - len(shown), sum(a != b for a, b in zip(whole, shown, strict=False))
    if missing or short:
        yield f"    CUT: {missing} of the {len(whole)} lines are left out and {short} cut short: novum inbox --full"


def _beginning(whole: list[str]) -> Iterator[str]:
    room = MAX_CHANGE
    for text in whole:
        shown = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}… ({len(text) - MAX_LINE:,} characters more)"
        room -= len(shown)
        if room < 0:
            return
        yield shown
