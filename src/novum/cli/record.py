"""The commands about the record: report and verify."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from novum.cli.command_groups import EVIDENCE, RESULTS, SETUP
from novum.cli.printing.json_values import ReportFile
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab
from novum.cli.printing.verifications import print_verification
from novum.core.model.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=RESULTS)(report)
    app.command(rich_help_panel=SETUP)(gc)
    app.command(rich_help_panel=EVIDENCE)(verify)


def report(
    lab: LabOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: report.html in the lab.")] = None,
    json: JsonOption = False,
) -> None:
    """Write the study report: one self-contained HTML file that works offline."""
    from novum.report.report_page import write_report

    if output is not None:
        check_file(output)
    directory = find_lab(lab)
    path = output or directory / "report.html"
    try:
        size = write_report(directory, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another --output") from None
    print(as_json(ReportFile(str(path), size)) if json else f"report written to {path}")


def verify(
    path: Annotated[Path | None, typer.Argument(metavar="LAB|PACK", help="Default: the lab of --lab.")] = None,
    lab: LabOption = None,
    anchor: Annotated[str, typer.Option(metavar="ROOT", help="A root that `novum anchor` printed earlier.")] = "",
    json: JsonOption = False,
) -> None:
    """Check a lab or an evidence pack: hash chain, signatures, pre-registration, seeds, scores and verdicts.

    Exit status 1 at the first lie, and for a pack that says something which could not be checked here.
    """
    if path is not None and not os.path.exists(path):  # noqa: PTH110 it takes any name, however long
        raise UserError(f"there is no lab and no evidence pack {path}")
    from novum.lab import verification

    result = verification.verify(path or find_lab(lab), anchor=anchor)
    if json:
        print(as_json(result))
    else:
        print_verification(result)
    if not result.ok:
        sys.exit(1)


def gc(
    lab: LabOption = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove them; without it they are only counted.")] = False,
    json: JsonOption = False,
) -> None:
    """Count, or remove, stored artefacts that no event of the lab names."""
    from novum.ledger.garbage import collect

    found = collect(find_lab(lab), remove=remove)
    done = "removed" if found.removed else "can be removed (--remove)"
    words = f"{found.blobs} blobs of {found.bytes} bytes {done}; {found.kept} are named by events and stay"
    print(as_json(found) if json else words)
