"""`novum new | import | apply | doctor`: programs of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from novum.cli.command_groups import RESULTS, SETUP
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab, id_argument, line
from novum.core.model.errors import UserError
from novum.text.clean import exact


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=SETUP)(new)
    app.command(name="import", rich_help_panel=SETUP)(import_study)
    app.command(rich_help_panel=RESULTS)(apply)
    app.command(rich_help_panel=SETUP)(doctor)


def new(directory: Annotated[Path, typer.Argument(help="A directory that does not exist yet.")]) -> None:
    """Make a working example: a small classifier that Novum can improve, and a study file to copy from."""
    from novum.studies.scaffold import scaffold

    for path in scaffold(directory):
        print(f"wrote {path}")
    print(f"\nnext: novum run {directory} --budget 3m")


def import_study(
    layout: Annotated[str, typer.Argument(help="openevolve, aide or autoresearch.")],
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The directory with that layout. It is not changed.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where. Default: DIR-novum.")] = None,
) -> None:
    """Turn another tool's task into a study that runs as it is; what could not be carried over is said."""
    from novum import registry
    from novum.core.model.errors import StudyError

    group = "novum.importers"
    take_over = registry.plugin(group, layout)
    if take_over is None:
        raise StudyError(f"there is no layout {layout!r}: choose {', '.join(registry.names(group))}")
    done = take_over(source, output or source.resolve().with_name(f"{source.resolve().name}-novum"))
    print(f"wrote {done.directory}")
    for note in done.notes:
        print(f"note: {line(note)}")
    print(f"\nnext: novum run {done.directory}")


def apply(
    finding: Annotated[str, id_argument("FINDING", "A finding of a program study, for example h3.")],
    lab: LabOption = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the patch to this file.")] = None,
    branch: Annotated[str | None, typer.Option(help="Commit it to a new branch of the git checkout --to.")] = None,
    to: Annotated[Path, typer.Option(help="The directory that the study was run from.")] = Path(),
) -> None:
    """The winning change as a patch: to standard output, a file, or a new branch. Your files are never edited."""
    from novum.lab.program_patches import branch_of, patch_of

    if output is not None:
        check_file(output)
    patch = patch_of(find_lab(lab), finding)
    if branch:
        print(branch_of(patch, to, branch, finding))
    elif output:
        _write(output, patch.encode())
        print(f"wrote {output}; apply it with: git apply {output}  (or: patch -p1 < {output})")
    elif sys.stdout.isatty():
        print(exact(patch), end="")
    else:
        sys.stdout.buffer.write(patch.encode())
        sys.stdout.flush()


def _write(path: Path, data: bytes) -> None:
    """Raises UserError."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another --output") from None


def doctor(json: JsonOption = False) -> None:
    """Which sandbox works here, what it leaves open, and how to get a better one."""
    from novum.sandbox import Tier, sandbox_status

    found = sandbox_status()
    if json:
        print(as_json(found.as_data()))
        return
    words = {
        Tier.NAMESPACES: "A (namespaces): a system of its own, no network, nothing of yours in sight",
        Tier.LANDLOCK: "B (Landlock and seccomp): your files and the network are out of reach, with gaps",
        Tier.NONE: "none: foreign code is refused",
    }
    print(f"sandbox   {words[found.tier]}")
    print(f"tool      {found.tool or '-'}")
    for gap in found.gaps:
        print(f"gap       {gap}")
    for limit in found.limits:
        print(f"limit     {limit}")
    if found.advice:
        print(f"better    {found.advice}")
