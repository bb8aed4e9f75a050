"""`novum adopt`: a person's own training script as a study, found by reading it and running it once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from novum import training_log
from novum.adopt.baseline_run import Baseline, idle_lines, run_baseline
from novum.adopt.evaluation_slice import Evaluation, find_evaluation
from novum.adopt.hydra_files import RUN_FOLDER
from novum.adopt.metrics.metric_file import find_file_metrics, looked_at, named_file_metric
from novum.adopt.metrics.metric_line import Metric, find_metrics, named_metric
from novum.adopt.metrics.metric_names import preference
from novum.adopt.metrics.metric_place import stable_name
from novum.adopt.printed_names import printed_names
from novum.adopt.project import Project
from novum.adopt.script_checkpoint import find_checkpoint
from novum.adopt.script_gpus import script_gpus, trials_at_once
from novum.adopt.seed_place import Seed, find_seed
from novum.adopt.study_text import Adopted, study_text
from novum.adopt.value_range import Range, suggested
from novum.arenas.program.reported_score import score_of_run
from novum.arenas.program.seeding import OUTSIDE
from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError
from novum.sandbox.glob_files import fits_glob, is_glob
from novum.source.declared.declaration import Declared
from novum.source.parameters import Parameter
from novum.source.protected import Protection

MOST_PARAMETERS = 24
OFTEN = 3
"""A score that is printed so often says how a run is doing on its way."""
WRITES = ("writerow", "writerows", "write_text", "write_bytes")
"""Calls that are fixed, beside prints, where the score is in a file."""
_SHARED = re.compile(r"batch", re.IGNORECASE)
"""What an evaluation may use and candidates may still change: how many examples go through at once."""


@dataclass(frozen=True)
class Wishes:
    """What the user said on the command line instead of leaving it to be guessed."""

    metric: str = ""
    direction: str = ""
    seconds: float = 1800.0
    compute: str = "equal"
    budget: str = "10m"
    workers: int = 2
    """How many trials will run at once."""
    gpus: int | None = None
    """How many GPUs a trial holds; None: as the script and the machine suggest."""


@dataclass(frozen=True)
class Result:
    """The study file's text, and what a person should know of it."""

    text: str
    metric: Metric
    value: float
    higher_is_better: bool
    baseline: Baseline
    parameters: tuple[str, ...]
    notes: tuple[str, ...]
    gpus: int = 0


@dataclass(frozen=True)
class StudyWritten:
    """What `novum adopt` has done."""

    study: str
    """The file."""
    metric: str
    value: float
    """Of the one run."""
    higher_is_better: bool
    parameters: tuple[str, ...]
    wall_seconds: float
    cpu_seconds: float
    """This and `wall_seconds`: of the one run, in which its lines were noted."""
    plan: str
    """What the budget pays for, in words."""
    notes: tuple[str, ...]
    gpus: int = 0
    """How many a trial holds."""


def adopt(project: Project, wishes: Wishes, hear: Callable[[bytes], None]) -> Result:
    """Read a project, run it once, and write its study. Raises StudyError with what to do."""
    checkpoint = find_checkpoint(project.texts)
    project = project.without([checkpoint])  # trials start without it, and so does the first run
    seed = find_seed(project.texts, project.declared)
    command, place = _start(project, seed)
    gpus = script_gpus(project, wishes.gpus)
    baseline = run_baseline(project, command, place, wishes.seconds, hear, gpus.count)
    metric, others = _metric(baseline, wishes, project)
    if old := [path for path in project.files if fits_glob(path, metric.file)]:  # trials start without: once more
        project = project.without(old)
        baseline = run_baseline(project, command, place, wishes.seconds, hear, gpus.count)
        metric, others = _metric(baseline, wishes, project)
    higher = _direction(metric, wishes)
    project = project.without(baseline.files)
    evaluation = find_evaluation(project.texts, metric.name, bool(metric.file))
    used = _executed(project, baseline)
    parameters = _parameters(project, evaluation, seed, used)
    protection = Protection(
        tuple(one for one in evaluation.functions if one.partition(": ")[0] in used),
        tuple(
            one
            for one in dict.fromkeys((*evaluation.names, *printed_names(project.texts)))
            if one.partition(": ")[0] in used and not _tried(one, parameters)
        ),
        {path: spans for path in used if (spans := _idle(project, baseline, path))},
        WRITES if metric.file else (),
    )
    value = _value(metric, baseline)
    size = abs(value)
    progress = _progress(metric, others)
    adopted = Adopted(
        name=re.sub(r"[^A-Za-z0-9_-]+", "-", project.directory.name).strip("-") or "script",
        script=project.script,
        command=command,
        editable=tuple(dict.fromkeys([*used, *(one.path for one, _, _ in parameters)])),
        metric=metric,
        higher_is_better=higher,
        resolution=10 ** round(math.log10(size * 1e-3)) if size else 1e-4,
        parameters=parameters,
        protection=protection,
        python=project.python,
        packages=project.modules,
        environment=project.offline.environment,
        seed=place,
        seed_words=seed.words,
        seconds=max(30.0, 3.0 * baseline.wall_seconds),
        memory_bytes=max(1 << 30, project.offline.memory_bytes, 1 << (3 * baseline.peak_bytes).bit_length()),
        compute=wishes.compute,
        budget=wishes.budget,
        waiting=max(2, trials_at_once(gpus.count, wishes.workers)),
        progress=progress,
        follows=_follows(metric, progress),
        gpus=gpus,
        checkpoint=checkpoint if metric.take == "last" and checkpoint != metric.file else "",
    )
    return Result(study_text(adopted), metric, value, higher, baseline, tuple(one.name for one, _, _ in parameters),
                  (*_notes(metric, others, seed, place, parameters), *project.offline.notes), gpus.count)  # fmt: skip


def _start(project: Project, seed: Seed) -> tuple[tuple[str, ...], str]:
    """The command of a trial, and how its seed reaches the program otherwise."""
    words = ("python", project.script, *project.arguments, *_run_folder(project))
    if seed.kind == "argument" and seed.place.startswith("-"):
        return (*words, seed.place, "{seed}"), ""  # of a flag that is given twice the last one counts
    if seed.kind in ("argument", "constant", "field", "key"):
        return words, f"{seed.path}: {seed.place}"
    if seed.kind == "environment":
        return words, f"${seed.place}"
    return words, OUTSIDE


def _run_folder(project: Project) -> tuple[str, ...]:
    """Where Hydra writes, else a folder named by the time: within the work directory, the same in every run."""
    given = any(word.lstrip("+").startswith(f"{RUN_FOLDER}=") for word in project.arguments)
    return (f"{RUN_FOLDER}=outputs",) if project.hydra.used and not given else ()


def _metric(baseline: Baseline, wishes: Wishes, project: Project) -> tuple[Metric, list[Metric]]:
    """The score, in a file by a name that every run has, and others that were found with it."""
    metric, others = _likeliest(baseline, wishes)
    if metric.file:
        metric = replace(metric, file=stable_name(metric.file, baseline.files, project.texts))
    return metric, others


def _likeliest(baseline: Baseline, wishes: Wishes) -> tuple[Metric, list[Metric]]:
    """The score, and others that were found with it: in what was printed, else in the files that were written.

    What `novum.log` was told comes first; and a score of what was held out in a file is taken before one of what was
    trained on that is printed.
    """
    found = find_metrics(baseline.output)
    if wishes.metric:
        every = [*found, *find_file_metrics(baseline.files)]
        return _named(wishes.metric, baseline, found, every), every
    in_files = find_file_metrics(baseline.files)
    logged = bool(in_files) and in_files[0].file == training_log.USUAL
    if not found or logged or (in_files and preference(found[0].name) < 0 < preference(in_files[0].name)):
        found = [*in_files, *found]
    if not found:
        tail = baseline.output[-600:].strip()
        raise StudyError(
            "the script printed no number that looks like a score (a loss, an accuracy, ...), "
            f"{looked_at(baseline.files)}; name the words before it, or a key or column, with --metric 'WORDS', or let "
            f"the script print one\n--- last output ---\n{tail or '(nothing)'}"
        )
    first = found[0]
    if len(set(first.values)) == 1 and len(first.values) > 3:
        how = f"in {first.file}" if first.file else "that it was printed"
        raise StudyError(
            f"{first.name!r} is {first.values[0]:g} all {len(first.values)} times {how}: a "
            "constant is no score; name another one with --metric 'WORDS'"
        )
    return first, found[1:]


def _named(wish: str, baseline: Baseline, printed: list[Metric], every: list[Metric]) -> Metric:
    """The score that the user names: as it was printed, or, where only a file has it, in the file."""
    words = wish.lower()
    named = next((one for one in printed if one.name.lower() == words), None)
    named = named or next((one for one in printed if words in one.name.lower()), None)
    named = named or named_metric(baseline.output, words) or named_file_metric(baseline.files, words)
    if named is None:
        raise StudyError(
            f"--metric {wish!r}: no number stands behind these words in what the script printed, "
            f"{looked_at(baseline.files)}; scores that were found: "
            f"{', '.join(repr(one.name) for one in every[:12]) or 'none'}"
        )
    return named


def _progress(metric: Metric, others: list[Metric]) -> Metric | None:
    """What shows how a run is doing, where the score itself is printed too seldom: of held-out data, if anything is."""
    if metric.occurrences >= OFTEN and metric.pattern:
        return None
    often = [one for one in others if one.pattern and len(set(one.values)) > 1]
    return max(often, key=lambda one: (preference(one.name), one.occurrences), default=None)


def _follows(metric: Metric, progress: Metric | None) -> bool:
    """Whether progress is on held-out data: what a training loss means is for candidates to change."""
    if progress is None:
        return metric.occurrences >= OFTEN and bool(metric.pattern)
    return preference(progress.name) > 0


def _value(metric: Metric, baseline: Baseline) -> float:
    """What the first run scored. Raises StudyError where this is no number."""
    files = {path: data for path, data in baseline.files.items() if data is not None}
    try:
        value = score_of_run(metric.report, baseline.output, files)
    except ArtefactError as error:
        raise StudyError(f"the first run: {error}: a baseline needs a number; is the script right?") from None
    if not isinstance(value, float) or not math.isfinite(value):
        raise StudyError(
            f"{metric.name!r} was {value} in the first run: a baseline needs a number; is the script right?"
        )
    return value


def _direction(metric: Metric, wishes: Wishes) -> bool:
    if wishes.direction:
        return wishes.direction == "higher"
    if metric.higher_is_better is None:
        raise StudyError(f"is a higher {metric.name!r} better, or a lower one? say --higher or --lower")
    return metric.higher_is_better


def _executed(project: Project, baseline: Baseline) -> list[str]:
    """The project's Python files that the run went through."""
    ran = [path for path in project.texts if path.endswith(".py") and baseline.lines.get(path)]
    return ran or [project.script]


def _idle(project: Project, baseline: Baseline, path: str) -> tuple[str, ...]:
    return idle_lines(project.texts[path], path, baseline.lines.get(path, frozenset())) if baseline.lines else ()


def _parameters(
    project: Project, evaluation: Evaluation, seed: Seed, used: list[str]
) -> tuple[tuple[Parameter, Range, Scalar], ...]:
    """Declared values with ranges, those first that matter most; none that the evaluation rests on."""
    among = [one for found in project.declared.values() for one in found]
    rows: list[tuple[int, int, Parameter, Range, Scalar]] = []
    for path, found in project.declared.items():
        if path.endswith(".py") and path not in used:
            continue
        for one in found:
            if path == seed.path and one.place == seed.place:
                continue
            if project.gives(one, path) or (one.name in evaluation.uses and not _SHARED.search(one.name)):
                continue
            wide = suggested(one, among)
            if wide is not None:
                rows.append((wide.rank + bool(wide.cost), len(rows), _parameter(path, one, wide), wide, one.value))
    rows.sort(key=lambda row: row[:2])
    kept = [(parameter, wide, value) for _, _, parameter, wide, value in rows[:MOST_PARAMETERS]]
    names = [one.name for one, _, _ in kept]
    return tuple(
        (replace(one, name=one.at) if names.count(one.name) > 1 else one, wide, value) for one, wide, value in kept
    )


def _parameter(path: str, one: Declared, wide: Range) -> Parameter:
    whole = isinstance(one.value, int) and not isinstance(one.value, bool)
    at = f"{path}: {one.place}"
    if wide.choices:
        choices = wide.choices if one.value in wide.choices else (one.value, *wide.choices)
        return Parameter(one.name, at, choices=choices, cost=wide.cost)
    return Parameter(one.name, at, wide.low, wide.high, wide.log, whole, cost=wide.cost)


def _tried(entry: str, parameters: tuple[tuple[Parameter, Range, Scalar], ...]) -> bool:
    return any(one.at == entry for one, _, _ in parameters)


def _notes(
    metric: Metric, others: list[Metric], seed: Seed, place: str,
    parameters: tuple[tuple[Parameter, Range, Scalar], ...],
) -> list[str]:  # fmt: skip
    found = []
    rest = list(dict.fromkeys(one.name for one in others if one.name != metric.name))
    if rest:
        found.append(f"other numbers that may be the score: {', '.join(rest[:6])} (--metric names one)")
    if place == OUTSIDE and seed.kind == "none":
        found.append("the script sets no seed: random, numpy and torch are seeded from outside")
    elif place == OUTSIDE:
        found.append(f"{seed.words}: each trial puts its own seed there")
    if not parameters:
        found.append("no parameter was found: candidates are edits of the code alone")
    if metric.file:
        found.append(f"the score is read from {metric.file}, {metric.name!r}, which every trial writes anew")
    if is_glob(metric.file):
        found.append("the name of this file differs from run to run: the glob stands for it, and must fit one alone")
    verb = "writes" if metric.file else "prints"
    found.append(f"the script {verb} its own score: findings say 'reported by the candidate itself'")
    return found
