"""`novum new | adopt | import | apply | doctor`: programs of one's own."""

from __future__ import annotations

import inspect
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import RESULTS, SETUP
from novum.cli.printing.output import JsonOption, LabOption, as_json, check_file, find_lab, id_argument, line
from novum.core.model.errors import StudyError, UserError
from novum.text.clean import exact

if TYPE_CHECKING:
    from novum.adopt.adoption import StudyWritten


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=SETUP)(new)
    app.command(rich_help_panel=SETUP)(adopt)
    app.command(name="import", rich_help_panel=SETUP)(import_study)
    app.command(rich_help_panel=RESULTS)(apply)
    app.command(rich_help_panel=SETUP)(doctor)


def new(directory: Annotated[Path, typer.Argument(help="A directory that does not exist yet.")]) -> None:
    """Make a working example: a small classifier that Novum can improve, and a study file to copy from."""
    from novum.studies.scaffold import scaffold

    for path in scaffold(directory):
        print(f"wrote {path}")
    print(f"\nnext: novum run {directory} --budget 3m")


def adopt(
    script: Annotated[Path, typer.Argument(help="A training script, or a folder with one. It is not changed.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGUMENTS]", help="What the script is called with; held fixed.")
    ] = None,
    metric: Annotated[
        str, typer.Option(help="The words before the number that counts, as the script prints it; or a key of a file.")
    ] = "",
    higher: Annotated[bool, typer.Option("--higher", help="A higher number is better.")] = False,
    lower: Annotated[bool, typer.Option("--lower", help="A lower number is better.")] = False,
    python: Annotated[
        str, typer.Option(help="Your interpreter or environment. Default: the folder's, the active one.")
    ] = "",
    budget: Annotated[str, typer.Option(help="What the study suggests to spend.")] = "10m",
    limit: Annotated[str, typer.Option(help="How long the first run may take.")] = "30m",
    gpus: Annotated[
        int | None, typer.Option(min=0, max=8, help="GPUs of a trial, 0 for none. Default: 1 for a script with cuda.")
    ] = None,
    free_compute: Annotated[
        bool, typer.Option("--free-compute", help="Do not hold compute equal; it is then said.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Replace a study.toml that is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a study of your training script: its parameters, seed and metric are found, and it is run once."""
    from novum.adopt.adoption import StudyWritten, Wishes
    from novum.adopt.adoption import adopt as adopted
    from novum.adopt.budget_plan import plan_words
    from novum.adopt.project import find_project
    from novum.adopt.script_gpus import trials_at_once
    from novum.governance.hard_budget import parse_budget

    if higher and lower:
        raise StudyError("--higher and --lower: choose one")
    direction = "higher" if higher else "lower" if lower else ""
    seconds = parse_budget(limit).wall_seconds
    if seconds is None:
        raise StudyError(f"--limit {limit}: give a time such as 30m")
    parse_budget(budget)
    project = find_project(script, tuple(arguments or ()), python)
    target = project.study_file
    if target.exists() and not yes:
        raise UserError(f"{target} is there: `novum run {_short(project.directory)}` runs it; --yes replaces it")
    shown = not json
    if shown:
        where = project.python or "the environment that Novum runs in"
        print(f"running {project.script} once with {where} ...", flush=True)
    cores = os.cpu_count() or 1
    wishes = Wishes(metric, direction, seconds, "free" if free_compute else "equal", budget, cores, gpus)
    result = adopted(project, wishes, _Progress(sys.stdout.isatty() and shown).hear)
    _put(project.directory, target, result.text)
    run = result.baseline
    plan = plan_words(run.wall_seconds, run.cpu_seconds, parse_budget(budget), trials_at_once(result.gpus, cores))
    done = StudyWritten(
        str(target), result.metric.name, result.value, result.higher_is_better, result.parameters, run.wall_seconds,
        run.cpu_seconds, plan, result.notes, result.gpus,
    )  # fmt: skip
    if json:
        print(as_json(done))
    else:
        _tell(done, f"novum run {_short(project.directory)} --budget {budget}")


def _put(directory: Path, target: Path, text: str) -> None:
    """Write a study file; one that cannot be read gives way to what was there. Raises StudyError, UserError."""
    from novum.studies.load import load_study

    before = target.read_text() if target.exists() else None
    try:
        target.write_text(text)
        load_study(str(directory))
    except StudyError as error:
        if before is not None:
            target.write_text(before)
        raise StudyError(f"the study that was made of {directory} cannot be read: {error}") from None
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror}") from None


def _tell(done: StudyWritten, following: str) -> None:
    """What was found, and what to do now."""
    print(f"wrote      {done.study}")
    print(
        f"metric     {line(done.metric)} = {done.value:g}, {'higher' if done.higher_is_better else 'lower'} is better"
    )
    print(f"parameters {line(', '.join(done.parameters)) or 'none found'}")
    if done.gpus:
        print(f"GPUs       {done.gpus} to each trial, alone; compute is GPU time")
    for note in done.notes:
        print(f"note       {line(note)}")
    print(f"plan       {line(done.plan)}")
    print(f"\nread the lines that end in 'guess:', then: {following}")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd())) or "."
    except ValueError:
        return str(path)


class _Progress:
    """The latest line that a script printed, on one line of the terminal."""

    def __init__(self, shown: bool) -> None:
        self.shown, self.last = shown, 0.0

    def hear(self, data: bytes) -> None:
        """Show the last whole line, ten times a second at most."""
        now = time.monotonic()
        words = [one for one in data.decode(errors="replace").replace("\r", "\n").split("\n") if one.strip()]
        if self.shown and words and now - self.last > 0.1:
            self.last = now
            print(f"\r\x1b[K  {line(words[-1])[:100]}", end="", flush=True)


def import_study(
    layout: Annotated[str, typer.Argument(help="openevolve, shinka, aide or autoresearch.")],
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The directory with that layout. It is not changed.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where. Default: DIR-novum.")] = None,
    program: Annotated[str, typer.Option(help="openevolve, shinka: the file that may change.")] = "",
    config: Annotated[str, typer.Option(help="openevolve: the configuration, where there are several.")] = "",
    goal: Annotated[str, typer.Option(help="aide: what it is told as goal.")] = "",
    evaluation: Annotated[str, typer.Option("--eval", help="aide: what it is told as eval, such as RMSE.")] = "",
    column: Annotated[str, typer.Option("--target", help="aide: the column of train.csv to predict.")] = "",
) -> None:
    """Turn another tool's task into a study that runs as it is; what could not be carried over is said."""
    from novum import registry

    group = "novum.importers"
    take_over = registry.plugin(group, layout)
    if take_over is None:
        raise StudyError(f"there is no layout {layout!r}: choose {', '.join(registry.names(group))}")
    options = {"program": program, "config": config, "goal": goal, "evaluation": evaluation, "column": column}
    said = {name: value for name, value in options.items() if value}
    if foreign := sorted(set(said) - set(inspect.signature(take_over).parameters)):
        flag = {"evaluation": "eval", "column": "target"}.get(foreign[0], foreign[0])
        raise StudyError(f"--{flag} means nothing for the layout {layout!r}: leave it out")
    done = take_over(source, output or source.resolve().with_name(f"{source.resolve().name}-novum"), **said)
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
    """Which sandbox works here, what it leaves open, how to get a better one, and which GPUs programs can hold."""
    from novum.sandbox import Tier
    from novum.sandbox.gpus.gpu_report import doctor_report, report_lines

    found = doctor_report()
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
    for label, said in report_lines(found.gpus):
        print(f"{label:<10}{line(said)}")
