"""`novum export`: the record in the forms that other programs read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from novum.cli.command_groups import EVIDENCE
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab
from novum.core.model.errors import UserError

FindingArgument = Annotated[
    str | None, typer.Argument(metavar="[FINDING]", help="A finding (h7), for an evidence pack; with --output.")
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="The file of the evidence pack.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="DIR", help="Tables as CSV files in a directory.")]
ParquetOption = Annotated[Path | None, typer.Option("--parquet", metavar="DIR", help="The same tables as Parquet.")]
MlflowOption = Annotated[
    Path | None, typer.Option("--mlflow", metavar="DIR", help="Hypotheses as runs in an MLflow store in a directory.")
]


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
    json: JsonOption = False,
) -> None:
    """Write the record for other programs: CSV, Parquet, MLflow; or the evidence pack of one finding."""
    if not any((finding, output, csv, parquet, mlflow)):
        raise UserError("say what to export: --csv DIR, --parquet DIR, --mlflow DIR, or FINDING -o pack.zip")
    if bool(finding) != bool(output):
        raise UserError("an evidence pack needs both: novum export FINDING -o pack.zip")
    if output:
        check_file(output)
    directory = find_lab(lab)
    wanted = [f"the evidence pack of {finding}"] if finding else []
    _check_allowed(directory, [*wanted, *(["tables"] if any((csv, parquet, mlflow)) else [])])
    written = _tables(directory, csv, parquet, mlflow)
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


def _tables(directory: Path, csv: Path | None, parquet: Path | None, mlflow: Path | None) -> dict[str, dict[str, Any]]:
    """Write the forms that were asked for; the record is read once for all of them."""
    if not any((csv, parquet, mlflow)):
        return {}
    from novum.integrations.exports.csv_files import write_csv
    from novum.integrations.exports.mlflow_store import write_mlflow
    from novum.integrations.exports.parquet_files import write_parquet
    from novum.lab.restore import read_index

    found = read_index(directory)
    written: dict[str, dict[str, Any]] = {}
    if csv:
        written["csv"] = {"path": str(csv), **write_csv(found, csv)}
    if parquet:
        written["parquet"] = {"path": str(parquet), **write_parquet(found, parquet)}
    if mlflow:
        written["mlflow"] = {"path": str(mlflow), **write_mlflow(found, mlflow, _say)}
    return written


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
