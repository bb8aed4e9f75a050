"""`novum scale`: the scaling law of a sequence architecture, tested by a run that it did not see."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novum.cli.command_groups import RESULTS
from novum.cli.printing.output import LABS, JsonOption, as_json
from novum.core.model.errors import StudyError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from novum.arenas.sequence.options import Options
    from novum.arenas.sequence.scaling_cell import CellResult, TrialProcesses
    from novum.arenas.sequence.scaling_plan import PlanOptions, ScaledArchitecture, ScalingCell, ScalingPlan
    from novum.core.model.study import Study

FILE = "scale.jsonl"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=RESULTS)(scale)


def scale(
    study: Annotated[
        str | None, typer.Argument(help="The TOML file of a study in the sequence arena, of one task and its loss.")
    ] = None,
    flop: Annotated[float | None, typer.Option(help="FLOP for everything, by 6 N D, sweeps included.")] = None,
    budget: Annotated[str | None, typer.Option(help="CPU time instead, as 'cpu 10m': speed is measured first.")] = None,
    genome: Annotated[
        list[str] | None, typer.Option(metavar="GENE=VALUE", help="Changes to the study's baseline, to be scaled.")
    ] = None,
    compare: Annotated[
        list[str] | None, typer.Option(metavar="GENE=VALUE", help="Changes to that: a second one, on the same design.")
    ] = None,
    sizes: Annotated[int, typer.Option(help="Sizes at each compute.")] = 4,
    budgets: Annotated[int, typer.Option(help="Amounts of compute.")] = 4,
    repeats: Annotated[int, typer.Option(help="Seeds of each cell at its best rate.")] = 2,
    span: Annotated[float, typer.Option(help="Largest over smallest compute.")] = 10.0,
    width: Annotated[float, typer.Option(help="Largest over smallest size at one compute.")] = 6.0,
    held_out: Annotated[float, typer.Option(help="Compute of the predicted cell over the largest, 4 to 10.")] = 4.0,
    tokens_per_parameter: Annotated[float, typer.Option(help="D / N in the middle of the sizes.")] = 30.0,
    rate: Annotated[list[float] | None, typer.Option(help="Learning rates to sweep, instead of .003 to 1.")] = None,
    seed: Annotated[int | None, typer.Option(help="First seed, instead of the study's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the record. Default: labs/STUDY-scale.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Cells trained at the same time.")] = 1,
    verify: Annotated[Path | None, typer.Option(metavar="DIR", help="Check the record of a study instead.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw loss over compute to this .svg or .png.")] = None,
    json: JsonOption = False,
) -> None:
    """Fit a scaling law to trained stacks of many sizes, predict a larger run, and judge the prediction by it.

    The same command again goes on where it stopped.
    """
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise UserError(f"{plot}: a chart is written as .svg or .png")
    if verify is not None:
        if study is not None or flop is not None or budget is not None:
            raise UserError("--verify DIR checks a record and runs nothing: give no study and no budget with it")
        _conclude(verify, plot, json=json)
        return
    if study is None:
        raise UserError("give the file of a study, or --verify DIR to check a record")
    if (flop is None) == (budget is None):
        raise UserError("give either --flop, as 3e11, or --budget, as 'cpu 10m'")
    from novum.arenas.sequence.scaling_plan import SWEEP, PlanOptions
    from novum.scaling.design import DesignOptions

    loaded = _study(study)
    options = _options(loaded)
    chosen = PlanOptions(
        DesignOptions(
            budgets=budgets,
            span=span,
            sizes=sizes,
            width=width,
            repeats=repeats,
            held_out=held_out,
            held_out_repeats=repeats,
            tokens_per_parameter=tokens_per_parameter,
        ),
        tuple(sorted(set(rate))) if rate else SWEEP,
        loaded.seed if seed is None else seed,
    )
    amount = flop if flop is not None else _seconds(budget or "")
    directory = out or LABS / f"{loaded.name}-scale"
    asked = _asked(options, _architectures(loaded, options, genome, compare), chosen, flop, budget)
    _carry_on(directory, options, chosen, asked, amount, workers)
    _conclude(directory, plot, json=json)


def _asked(
    options: Options,
    architectures: list[ScaledArchitecture],
    chosen: PlanOptions,
    flop: float | None,
    budget: str | None,
) -> dict[str, Any]:
    """The arguments on which the plan depends, in plain values: whoever gives others wants another record."""
    return {
        **{f"options.{name}": value for name, value in asdict(options).items()},
        **{f"design.{name}": value for name, value in asdict(chosen.design).items()},
        "architectures": [asdict(one) for one in architectures],
        "rates": list(chosen.rates),
        "seed": chosen.seed,
        "flop": flop,
        "budget": budget,
    }


def _study(name: str) -> Study:
    from novum.studies.load import load_study

    found = load_study(name).study
    if found.arena != "sequence":
        raise StudyError(f"{name}: its arena is {found.arena!r}; `novum scale` trains stacks of the sequence arena")
    return found


def _options(study: Study) -> Options:
    from novum.arenas.sequence.options import Options
    from novum.arenas.sequence.scaling_plan import check_options
    from novum.core.model.options import parse_options

    found = parse_options(Options, study.options, "the sequence arena")
    check_options(found)
    return found


def _seconds(budget: str) -> float:
    """CPU seconds of a budget in words. Raises UserError."""
    from novum.core.model.budget import Budget
    from novum.governance.hard_budget import parse_budget

    found = parse_budget(budget)
    if found.cpu_seconds is None or found != Budget(cpu_seconds=found.cpu_seconds):
        raise UserError(f"--budget {budget}: give CPU time alone, as 'cpu 10m', or --flop")
    return found.cpu_seconds


def _architectures(
    study: Study, options: Options, genome: list[str] | None, compare: list[str] | None
) -> list[ScaledArchitecture]:
    """The one to be scaled, and the other to compare it with; called by what was changed. Raises StudyError."""
    from novum.arenas.sequence.fairness import baseline
    from novum.arenas.sequence.scaling_plan import ScaledArchitecture
    from novum.arenas.sequence.space import space

    own = {**baseline(options), **study.baseline}
    found = []
    for changes, option in ((genome, "--genome"), (compare, "--compare")):
        words = [word for one in changes or [] for word in one.split()]
        if not words and option == "--compare":
            continue
        own = {**own, **_genes(words, option, space(options).genes)}
        valid = space(options).validate(own)
        found.append(ScaledArchitecture(" ".join(words) or "baseline", dict(valid)))
    if len(found) == 2 and found[0].genome == found[1].genome:
        raise StudyError(f"--compare {found[1].name}: this changes nothing: both would be the same network")
    if len(found) == 2 and found[0].name == found[1].name:
        raise StudyError(f"--compare {found[1].name}: --genome has the same change")
    return found


def _genes(words: list[str], option: str, genes: Any) -> dict[str, Any]:
    """Values by gene, of the types that the space has. Raises UserError."""
    choices = {gene.name: gene.choices for gene in genes}
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in choices:
            raise UserError(f"{option} {word}: write GENE=VALUE with a gene of {', '.join(choices)}")
        values = {str(one).lower(): one for one in choices[name]}
        if text.lower() not in values:
            raise UserError(f"{option} {word}: {name} is one of {', '.join(values)}")
        found[name] = values[text.lower()]
    return found


def _carry_on(
    directory: Path, options: Options, chosen: PlanOptions, asked: dict[str, Any], amount: float, workers: int
) -> None:
    """Plan what is not planned, and train what is not trained. Raises UserError."""
    from novum.arenas.sequence.scaling_cell import TrialProcesses
    from novum.arenas.sequence.scaling_plan import ScaledArchitecture
    from novum.arenas.sequence.scaling_study import begin, carry_on
    from novum.scaling.chained_record import opened

    architectures = [ScaledArchitecture(**one) for one in asked["architectures"]]
    processes = TrialProcesses()

    def make() -> ScalingPlan:
        return _planned(options, architectures, chosen, asked["flop"], amount, processes)

    with opened(directory / FILE) as record:
        try:
            found = begin(record, asked, asdict(options), make)
            carry_on(record, found, processes.cell, workers, _teller(found.plan, found.results))
        except KeyboardInterrupt:
            kept = f"{directory / FILE} keeps {len(record.entries)} lines"
            print(f"novum: interrupted: {kept}, the same command goes on from there", file=sys.stderr)
            raise typer.Exit(130) from None
        finally:
            processes.stop()


def _planned(
    options: Options,
    architectures: list[ScaledArchitecture],
    chosen: PlanOptions,
    flop: float | None,
    seconds: float,
    processes: TrialProcesses,
) -> ScalingPlan:
    from novum.arenas.sequence.scaling_budget import WIDTHS, affordable, measure
    from novum.arenas.sequence.scaling_plan import make_plan

    if flop is not None:
        return make_plan(options, architectures, flop, chosen)
    costs = measure(options, asdict(options), architectures, chosen, processes.speed)
    plan = affordable(options, architectures, chosen, seconds, costs)
    expected = sum(cost(plan) for cost in costs.values())
    widths = ", ".join(map(str, WIDTHS))
    print(
        f"steps of width {widths} were timed: {expected:.0f} CPU seconds are expected to pay for {plan.flop:.3g} FLOP",
        file=sys.stderr,
        flush=True,
    )
    return plan


def _teller(plan: ScalingPlan, results: Any) -> Callable[[ScalingCell, CellResult, int, int], None]:
    """Prints a line for each cell, with the time that is left by the steps that are."""
    from novum.arenas.sequence.scaling_conclusions import mean_loss
    from novum.text.format import seconds

    began, before = time.monotonic(), set(results)

    def told(cell: ScalingCell, result: CellResult, done: int, count: int) -> None:
        made = sum(one.steps for one in plan.cells if one.number in results and one.number not in before)
        left = sum(one.steps for one in plan.cells if one.number not in results)
        rest = (time.monotonic() - began) * left / made
        loss = mean_loss(result)
        said = "diverged" if loss is None else f"loss {loss:.4f}"
        print(
            f"{done}/{count}  {cell.architecture}  N {cell.parameters:,}  D {cell.tokens:,}  {said} at rate "
            f"{result.rate:g}" + (f"  about {seconds(rest)} left" if left else ""),
            file=sys.stderr,
            flush=True,
        )

    return told


def _conclude(directory: Path, plot: Path | None, *, json: bool) -> None:
    """Check the record and say what follows from it. Raises IntegrityError."""
    from novum.arenas.sequence.scaling_check import check
    from novum.arenas.sequence.scaling_summary import summary
    from novum.cli.printing.scaling_tables import print_summary
    from novum.scaling.chained_record import read

    entries = read(directory / FILE)
    found = summary(check(entries), entries, directory / FILE)
    if plot is not None:
        from novum.report.calibration import write
        from novum.report.scaling_chart import chart

        write(chart(found), plot)
    if json:
        print(as_json(found))
    else:
        print_summary(found)
