"""`novum run`: take up a study, watch it, stop it in order."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.command_groups import RUN
from novum.cli.printing.output import LABS, JsonOption, as_json, line, table
from novum.core.model.errors import LabMismatch, StudyError, UserError

if TYPE_CHECKING:
    from novum.cli.printing.live_panel import Watcher
    from novum.core.engine.loop import Lab
    from novum.core.events.campaign import PreflightRecorded
    from novum.core.model.budget import Budget
    from novum.core.model.study import ResearcherSettings, Study
    from novum.lab.machine_supply import Machines

INTERRUPTED, STOPPED = 130, 1
"""Exit statuses: by a person, and by the watchdog since something is wrong with the machine."""


StudyArgument = Annotated[str, typer.Argument(help="A built-in study (see `novum arenas`) or the path of a TOML file.")]
BudgetOption = Annotated[
    str | None,
    typer.Option(help="Total for the campaign: 30s, 5m, 2h (wall time), 'cpu 10m', '500 trials', or 'a, b'."),
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of researchers and of the search data.")]
DirectoryOption = Annotated[Path | None, typer.Option("--lab", help="Lab directory. Default: labs/STUDY-SEED.")]
ListenOption = Annotated[
    str,
    typer.Option(
        "--listen",
        metavar="HOST:PORT",
        help="Run trials on machines that join there with `novum worker`; see `novum machines --token`.",
    ),
]
MachinesOption = Annotated[
    Path | None,
    typer.Option(
        "--machines",
        metavar="FILE",
        help="Run trials where this TOML file says, such as the jobs of a Slurm site; see docs/machines.md.",
    ),
]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Parallel workers. Default: one per core.")]
ResearcherOption = Annotated[
    str | None,
    typer.Option(
        help="Who proposes: evolve, archive, random, code (programs), language (models), inbox (people and agents) or "
        "portfolio."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="For the researcher language: openai:NAME, anthropic:NAME, local or NAME@http://host/v1."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=RUN)(run)
    app.command(rich_help_panel=RUN)(preflight)


def run(
    study: StudyArgument,
    budget: BudgetOption = None,
    seed: SeedOption = None,
    lab: DirectoryOption = None,
    workers: WorkersOption = None,
    listen: ListenOption = "",
    machines: MachinesOption = None,
    researcher: ResearcherOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    force: Annotated[bool, typer.Option("--force", help="Run even if the preflight says it cannot succeed.")] = False,
    reopen: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Confirm an inconclusive hypothesis again, with a new stake.")
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run a program's candidates without a sandbox where there is none.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines instead of the live view.")] = False,
) -> None:
    """Run a study until its budget is spent. The same command again goes on where it stopped."""
    chosen, allowed = _chosen(study, budget, seed, researcher, model)
    if unsafe:
        chosen = _unsafe(chosen)
    directory = lab or LABS / f"{chosen.name}-{chosen.seed}"
    wishes = _Wishes(force, tuple(reopen or ()), listen, _machines(machines))
    try:
        reason, status = _run(chosen, allowed, directory, workers, _watcher(json=json, plain=plain), wishes)
    except LabMismatch as mismatch:
        if not mismatch.unscored:
            raise
        kept = _set_aside(directory)
        print(f"{mismatch}\nnothing was scored in it yet: it is kept as {kept}, and begun anew", file=sys.stderr)
        reason, status = _run(chosen, allowed, directory, workers, _watcher(json=json, plain=plain), wishes)
    _conclude(directory, reason, json=json)
    if status:
        sys.exit(status)


def _set_aside(directory: Path) -> Path:
    """Give a lab another name, with its record, keys and artefacts, and return it."""
    names = (directory.with_name(f"{directory.name}.unscored-{number}") for number in itertools.count(1))
    kept = next(one for one in names if not one.exists())
    directory.rename(kept)
    return kept


def preflight(
    study: StudyArgument,
    budget: BudgetOption = None,
    seed: SeedOption = None,
    lab: DirectoryOption = None,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Ask whether a study can succeed at all: noise, controls of known outcome, and what the budget can confirm.

    The answer is kept in the lab. Exit status 1 when a check fails.
    """
    from novum.lab.preflight import preflight as ask
    from novum.lab.restore import read_lab

    chosen, allowed = _chosen(study, budget, seed, None)
    directory = lab or LABS / f"{chosen.name}-{chosen.seed}"
    say = (lambda _: None) if json else (lambda text: print(f"{text} ...", flush=True))
    found = ask(chosen, allowed, directory, workers=workers, say=say)
    if json:
        print(as_json(found))
    else:
        marks = {True: "pass", False: "FAIL", None: "note"}
        table(["", "check", "what was found"], [[marks[c.ok], c.name, c.words] for c in found.checks])
        print(f"\n{found.conclusion}.")
        trials = read_lab(directory).trials
        print(
            f"So far the lab has run {trials + found.trials} trials, {trials} of them its own and {found.trials} in "
            f"controls ({found.cpu_seconds:.0f} CPU seconds); lab {directory}"
        )
    if not found.ok:
        sys.exit(1)


def _chosen(
    name: str, budget: str | None, seed: int | None, researcher: str | None, model: str | None = None
) -> tuple[Study, Budget]:
    """The study and budget that the arguments ask for. Raises StudyError."""
    from novum.governance.hard_budget import parse_budget
    from novum.lab import wiring
    from novum.studies.load import load_study

    file = load_study(name)
    chosen = file.study
    for one in file.left_out:
        print(f"left out of the study: {one}", file=sys.stderr)
    if seed is not None:
        if not 0 <= seed < 2**53:
            raise StudyError(f"--seed {seed}: must lie between 0 and 2^53 - 1")
        chosen = replace(chosen, seed=seed)
    if researcher is not None:
        chosen = replace(chosen, researcher=replace(chosen.researcher, name=researcher, options={}))
    if model is not None:
        chosen = replace(chosen, researcher=_asking(chosen.researcher, model, given=researcher))
    allowed = parse_budget(budget) if budget is not None else file.budget
    try:
        wiring.check(chosen, allowed)
    except StudyError as error:
        raise file.locate(error) from None
    return chosen, allowed


def _machines(file: Path | None) -> Machines | None:
    """What a machines file says. Raises StudyError."""
    from novum.lab.machine_supply import read_machines

    return read_machines(file) if file else None


def _asking(settings: ResearcherSettings, model: str, given: str | None) -> ResearcherSettings:
    """The researcher language with a model, or another that was asked for and may know one. Raises StudyError."""
    if given not in (None, "language"):
        raise StudyError(f"--model: the researcher {given} asks no model: use --researcher language")
    options = settings.options if settings.name == "language" else {}
    return replace(settings, name="language", options={**options, "model": model})


def _unsafe(study: Study) -> Study:
    """The study, content with no sandbox: one of the rules of its campaign from here on. Raises StudyError."""
    from novum.arenas.program.bundle import without_walls

    if study.arena != "program":
        raise StudyError("--unsafe is for programs: the trials of other arenas run in no sandbox anyway")
    return replace(study, options={**study.options, "bundle": without_walls(str(study.options["bundle"]))})


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the command line asks of a run beside its study."""

    force: bool
    """Run whatever the preflight says."""
    reopen: tuple[str, ...]
    """Hypotheses to confirm again."""
    listen: str = ""
    """Where machines dial in."""
    machines: Machines | None = None
    """Where trials run, if not where the study says."""


def _run(
    study: Study,
    budget: Budget,
    directory: Path,
    workers: int | None,
    watcher: AbstractContextManager[Watcher | None],
    wishes: _Wishes,
) -> tuple[str, int]:
    """Run the campaign; returns why it ended, and the exit status."""
    from novum.core.engine.stages.confirm import request
    from novum.lab.gpu_supply import supply_words
    from novum.lab.machine_supply import joining, nobody_joined
    from novum.lab.preflight import clear
    from novum.lab.session import session
    from novum.lab.wiring import cores
    from novum.views.progress import intervention

    opened = session(study, budget, directory, workers=workers, listen=wishes.listen, machines=wishes.machines)
    with opened as lab, watcher as watch, _stoppable(lab, watch):
        say = watch.say if watch else lambda _: None
        for one in _apart(study, lab.state.study):
            say(one)
        for one in supply_words(lab.context.arena.spec, workers or cores()):
            say(one)
        for one in joining(lab.executor, directory):
            say(one)
        if watch:
            watch.begin(directory, lab)
            lab.observe = watch.show
        lab.record([request(lab.state, name) for name in wishes.reopen])
        try:
            clear(lab, directory, say=say, force=wishes.force)
        except UserError as error:
            if words := nobody_joined(lab.executor, lab.state):
                raise StudyError(words) from error
            raise
        if watch and lab.state.preflight:
            watch.say(_said(lab.state.preflight))
        reason = lab.run()
        if not (lab.state.trials or lab.draining or lab.state.intervention_log.stopped):
            held = "; ".join(intervention(one) for one in lab.state.intervention_log.latest[-1:])
            return f"no trial was run: {held or reason}", STOPPED
        return reason, INTERRUPTED if lab.draining else STOPPED if lab.state.intervention_log.stopped else 0


def _apart(study: Study, recorded: Study) -> list[str]:
    """What lies about in a program's directory although the campaign does without it."""
    from novum.lab.open_campaign import program_changes

    found = program_changes(study, recorded)
    words = "; ".join(found.others) if found else ""
    return [f"not part of this campaign, which goes on with the files that it recorded: {words}"] if words else []


def _said(found: PreflightRecorded) -> str:
    """The preflight in one line."""
    counts = {True: "passed", False: "FAILED", None: "without an answer"}
    tally = [f"{sum(c.ok is ok for c in found.checks)} {word}" for ok, word in counts.items()]
    return f"preflight: checks {', '.join(part for part in tally if part[0] != '0')}; {found.conclusion}"


def _watcher(*, json: bool, plain: bool) -> AbstractContextManager[Watcher | None]:
    """Live on a terminal, plain lines elsewhere; with --json the lines go to standard error only on a terminal."""
    if json and not sys.stderr.isatty():
        return nullcontext(None)
    from novum.cli.printing.live_panel import LiveWatcher, PlainWatcher

    if plain or json or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return nullcontext(PlainWatcher(sys.stderr if json else sys.stdout))
    return LiveWatcher()


@contextmanager
def _stoppable(lab: Lab, watch: Watcher | None) -> Iterator[None]:
    """First Ctrl-C: finish what is in flight. Second, or SIGTERM: stop between two commits. Third: stop here.

    Trials that were in flight are run again by the next session.
    """

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 the signature is Python's
        if lab.halted:
            raise KeyboardInterrupt
        lab.halted = lab.draining or signum == signal.SIGTERM
        lab.draining = True
        if watch:
            watch.say("stopping once the trials in flight are in; Ctrl-C again stops now")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(directory: Path, reason: str, *, json: bool) -> None:
    from novum.cli.printing.findings import print_exploratory, print_findings, print_holdout
    from novum.cli.printing.output import read_state
    from novum.views.campaign_summary import summarise
    from novum.views.screening_correlation import sentence

    summary = summarise(read_state(directory))
    if json:
        print(as_json(summary))
        return
    print(f"\n{line(reason)}.")
    print(
        f"{summary.hypotheses} hypotheses in {summary.trials} trials and {summary.cpu_seconds:.0f} CPU seconds: "
        f"{summary.supported} supported, {summary.refuted} refuted, {summary.inconclusive} inconclusive, "
        f"{summary.failed} failed"
    )
    print_findings(list(summary.findings))
    print_exploratory(summary.exploratory)
    print_holdout(summary.holdout)
    print(f"\n{sentence(summary.proxy)}")
    print(f"\nlab     {directory}\nreport  novum report --lab {directory}\nverify  novum verify --lab {directory}")
