"""The commands that show to others what a record is worth: anchor, replay and recover."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import EVIDENCE
from novum.cli.printing.json_values import AnchorRoot
from novum.cli.printing.output import JsonOption, LabOption, as_json, find_lab, id_argument, line, number, table
from novum.core.model.errors import UserError

if TYPE_CHECKING:
    from novum.lab.replay import Replayed


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=EVIDENCE)(anchor)
    app.command(rich_help_panel=EVIDENCE)(replay)
    app.command(rich_help_panel=EVIDENCE)(recover)


def anchor(
    lab: LabOption = None,
    check: Annotated[str | None, typer.Option(metavar="ROOT", help="A root published earlier.")] = None,
    json: JsonOption = False,
) -> None:
    """Print a short root of the record as it is now, to be published elsewhere; with --check, say whether one holds.

    Exit status 1 when the record no longer contains the history that was anchored.
    """
    from novum.audit.anchor import contains, parse, root
    from novum.ledger.journal import Reader

    directory = find_lab(lab)
    with Reader(directory) as reader, closing(reader.rows()) as rows:
        if check is not None:
            found = contains(rows, parse(check))
            print(as_json(found) if json else found.words)
            sys.exit(0 if found.ok else 1)
        seq, head = 0, ""
        for seq, *_, head in rows:  # noqa: B007 the last one is wanted
            pass
    if not seq:
        raise UserError(f"the lab {directory} is empty: there is nothing to anchor")
    made = str(root(seq, head))
    if json:
        print(as_json(AnchorRoot(made, seq, head)))
        return
    print(made)
    print(f"the record of {directory} up to event {seq}, whose hash is {head}")
    print("publish the first line where you cannot change it later; check it with: novum anchor --check ROOT")


def replay(
    target: Annotated[str, id_argument("FINDING|TRIAL|PACK", "For example h7, g12.3 or h7.zip.")],
    lab: LabOption = None,
    trials: Annotated[int | None, typer.Option(min=1, help="About as many: groups run whole, pairs first.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Parallel workers. Default: one per core.")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also with other arena code than recorded.")] = False,
    json: JsonOption = False,
) -> None:
    """Run recorded trials again, with the seeds that the record reveals, and compare what comes out.

    Exit status 1 when something does not come out again.
    """
    from novum.lab.replay import replay as run_again

    directory = None if os.path.isfile(target) else find_lab(lab)  # noqa: PTH113 it takes any name, however long
    say = (lambda _: None) if json else (lambda text: print(text, file=sys.stderr, flush=True))
    done = run_again(target, directory, trials=trials, workers=workers, anyway=anyway, say=say)
    if json:
        print(as_json(done))
    else:
        _print(done)
    if not done.ok:
        sys.exit(1)


def recover(
    lab: LabOption = None,
    researcher: Annotated[str, typer.Option(help="Who tries. Default: random search, or evolution for it.")] = "",
    trials: Annotated[int | None, typer.Option(min=1, help="Default: as many as the incumbent took.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Parallel workers. Default: one per core.")] = None,
    json: JsonOption = False,
) -> None:
    """Let another researcher search from the baseline with as many trials, and say how much of the gain it finds.

    The same command goes on where it was stopped; the report shows what it found.
    """
    from novum.lab.recovery import recover as search_again

    say = (lambda _: None) if json else (lambda text: print(text, file=sys.stderr, flush=True))
    found = search_again(find_lab(lab), researcher, trials, workers=workers, say=say)
    print(as_json(found) if json else line(found.words))


def _print(done: Replayed) -> None:
    from novum.lab.replay import How

    rows = [[one.trial, one.purpose, one.how, number(one.recorded), number(one.now), one.words] for one in done.trials]
    table(["trial", "for", "came out", "recorded", "now", ""], rows, right=frozenset({3, 4}))
    for note in done.notes:
        print(f"note: {line(note)}")
    parts = [f"{done.count(how)} {how}" for how in How if done.count(how)]
    print(f"{done.about}: {len(done.trials)} trials run again: {', '.join(parts)}")
