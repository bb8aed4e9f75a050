"""`novum explain`: what the record says of a hypothesis, in plain words, each number with the event it is from."""

from __future__ import annotations

from typing import Annotated

import typer

from novum.cli.command_groups import RESULTS
from novum.cli.printing.output import JsonOption, LabOption, as_json, block, find_lab, id_argument, line
from novum.core.model.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=RESULTS)(explain)


def explain(
    name: Annotated[str, id_argument("[HYPOTHESIS]", "Such as h7. Default: the latest verdict.")] = "",
    lab: LabOption = None,
    json: JsonOption = False,
) -> None:
    """What was claimed, tried and found, and what it means: [512] behind a number is the event it is from."""
    from novum.lab.restore import read_index
    from novum.report.explained import explain as of

    cases = read_index(find_lab(lab)).cases
    chosen = name or cases.latest
    if not chosen:
        raise UserError("no hypothesis has a verdict yet: name one (such as h1) to see where it stands")
    if chosen not in cases.cases:
        raise UserError(f"there is no hypothesis {chosen!r} in this lab: see the report, or `novum findings`")
    found = of(cases, chosen)
    if json:
        print(as_json(found))
        return
    for sentence in found.interpretation.sentences:
        print(line(sentence.cited))
    for one in found.comments:
        print(f"\n{line(one.author)}, a model, said this; nothing is measured or decided by it:")
        print("\n".join(block(one.text)))
    print("\nEach number names its event in brackets: `novum log --event 512` shows event 512.")
