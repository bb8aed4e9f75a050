"""`novum export`: the record in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from novum.cli.command_groups import EVIDENCE
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab, id_argument
from novum.core.model.errors import UserError

FindingArgument = Annotated[
    str | None,
    id_argument("[FINDING]", "A finding (h7), for an evidence pack; with --output."),
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="The file of the evidence pack.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="DIR", help="Tables as CSV files in a directory.")]
ParquetOption = Annotated[Path | None, typer.Option("--parquet", metavar="DIR", help="The same tables as Parquet.")]
MlflowOption = Annotated[
    Path | None, typer.Option("--mlflow", metavar="DIR", help="Hypotheses as runs in an MLflow store in a directory.")
]
ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="NAME=DIR", help="A form that an installed package adds (entry point novum.exports)."),
]
GROUP = "novum.exports"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=EVIDENCE)(export)


def export(
    finding: FindingArgument = None,
    lab: LabOption = None,
    output: OutputOption = None,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
    mlflow: MlflowOption = None,
    to: ToOption = None,
    json: JsonOption = False,
) -> None:
    """Write the record for other programs: CSV, Parquet, MLflow; or the evidence pack of one finding."""
    named = {"csv": csv, "parquet": parquet, "mlflow": mlflow}
    forms = {name: place for name, place in named.items() if place} | dict(_form(one) for one in to or [])
    if not any((finding, output, forms)):
        raise UserError("say what to export: --csv DIR, --parquet DIR, --mlflow DIR, or FINDING -o pack.zip")
    if bool(finding) != bool(output):
        raise UserError("an evidence pack needs both: novum export FINDING -o pack.zip")
    if output:
        check_file(output)
    directory = find_lab(lab)
    wanted = [f"the evidence pack of {finding}"] if finding else []
    _check_allowed(directory, [*wanted, *(["tables"] if forms else [])])
    written = _tables(directory, forms)
    if finding and output:
        from novum.audit.pack import write_pack

        written["pack"] = {"path": str(output), "bytes": write_pack(directory, finding, output)}
    if json:
        print(as_json(written))
    else:
        for form, what in written.items():
            counts = ", ".join(f"{value} {name}" for name, value in what.items() if name != "path")
            print(f"{form:<8} {what['path']}: {counts}")


def _check_allowed(directory: Path, wanted: list[str]) -> None:
    """Hold each thing of an export to the study's policy; where people have to agree, leave the question in the lab.

    Raises UserError.
    """
    from novum.cli.ask import user
    from novum.core.engine.request_handling import EXPORT, export_content
    from novum.core.model.request import Act
    from novum.core.state.approvals import Permission, permission
    from novum.governance.mailbox import Mailbox
    from novum.lab.restore import read_lab

    state = read_lab(directory)
    policy, approvals, author = state.study.policy, state.request_log.approvals, user()
    said = {what: permission(policy, approvals, EXPORT, author, export_content(state, what)) for what in wanted}
    if refused := [what for what, word in said.items() if word is Permission.REFUSED]:
        what = " and ".join(refused)
        raise UserError(f"the policy of this lab does not let {author} export {what}, or people denied it: novum log")
    for what in (what for what, word in said.items() if word is Permission.NEEDED):
        Mailbox(directory).send(Act.EXPORT, author, {"what": what})
    if missing := [what for what, word in said.items() if word is not Permission.GRANTED]:
        raise UserError(
            f"people have to agree before {author} may export {' and '.join(missing)}: they are asked as soon as the "
            "lab runs (novum inbox, novum approve); then give the same command again"
        )


def _form(text: str) -> tuple[str, Path]:
    """NAME=DIR taken apart. Raises UserError."""
    name, _, place = text.partition("=")
    if not name or not place:
        raise UserError(f"--to {text}: write NAME=DIR, with the name of an installed form and a directory")
    return name, Path(place)


def _tables(directory: Path, forms: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Write the forms that were asked for; the record is read once for all of them. Raises UserError."""
    if not forms:
        return {}
    from novum.registry import names, plugin

    writers = {name: plugin(GROUP, name) for name in forms}
    if missing := [name for name, writer in writers.items() if writer is None]:
        there = ", ".join(names(GROUP))
        raise UserError(f"no installed package writes {missing[0]!r} (entry point group {GROUP}); there are: {there}")
    from novum.lab.restore import read_index

    found = read_index(directory)
    return {
        name: {"path": str(forms[name]), **writer(found, forms[name])} for name, writer in writers.items() if writer
    }
