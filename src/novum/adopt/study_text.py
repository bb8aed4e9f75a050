"""The study file that `novum adopt` writes: what was read, what was guessed and why, for a person to check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from novum.adopt.metrics.metric_line import Metric
from novum.adopt.script_gpus import ScriptGpus
from novum.adopt.value_range import Range
from novum.core.model.candidate import Scalar
from novum.source.parameters import Parameter
from novum.source.protected import Protection


@dataclass(frozen=True)
class Adopted:
    """All that a study file of a script says."""

    name: str
    script: str
    command: tuple[str, ...]
    editable: tuple[str, ...]
    metric: Metric
    higher_is_better: bool
    resolution: float
    parameters: tuple[tuple[Parameter, Range, Scalar], ...]
    protection: Protection
    python: str
    packages: tuple[str, ...]
    environment: Mapping[str, str]
    seed: str
    seed_words: str
    seconds: float
    memory_bytes: int
    compute: str
    budget: str
    waiting: int
    gpus: ScriptGpus
    progress: Metric | None = None
    """What is printed often on the way, where the score itself is not."""
    follows: bool = False
    """Whether its progress is on held-out data, so that it may end a hopeless run."""
    checkpoint: str = ""
    """What a trial that was cut short may go on from."""


def study_text(one: Adopted) -> str:
    """The text; lines that hold a guess end in a comment that begins with "guess:"."""
    direction = "higher" if one.higher_is_better else "lower"
    lines = [
        f"name = {_toml(one.name)}",
        f"question = {_toml(f'Which change of {one.script} gives a {direction} {one.metric.name} at equal compute?')}",
        'arena = "program"',
        f"budget = {_toml(one.budget)}",
        "",
        "[program]",
        f"metric = {_toml(one.metric.name)}  # guess: the likeliest score that was {_where(one.metric)}",
        f"higher_is_better = {_toml(one.higher_is_better)}  # guess: by its name",
        f"resolution = {one.resolution:.3g}  # guess: the smallest difference that means anything",
    ]
    lines += [
        _report(one.metric),
        *_progress(one.progress),
        f"command = {_toml(list(one.command))}",
        f"editable = {_toml(list(one.editable))}",
        f'compute = {_toml(one.compute)}  # a claim holds at no more than 1.05 times the compute; or "free"',
    ]
    if one.python:
        lines.append(f"python = {_toml(one.python)}  # your own environment")
    else:
        lines.append(f"packages = {_toml(list(one.packages))}")
    if one.gpus.count or one.gpus.why:
        lines.append(f"gpus = {one.gpus.count}" + (f"  # guess: {one.gpus.why}" if one.gpus.why else ""))
    if one.checkpoint:
        lines.append(
            f"checkpoint = {_toml(one.checkpoint)}  # guess: the script saves to it and looks whether it is there"
        )
    if one.environment:
        inner = ", ".join(f"{name} = {_toml(value)}" for name, value in one.environment.items())
        lines.append(f"environment = {{ {inner} }}  # guess: trackers must not wait for a network that is not there")
    if one.seed:
        lines.append(f"seed = {_toml(one.seed)}  # {one.seed_words}")
    lines += _parameters(one.parameters)
    lines += _protection(one.protection)
    lines += [
        "",
        "[limits]",
        f"seconds = {one.seconds:.0f}  # of a trial; it took less than half",
        f"memory_bytes = {one.memory_bytes}",
        f"file_bytes = {1 << 30}  # of one file, as in the run that was made for this",
        "processes = 64",
        "",
        "[gate]",
        'claim = "typical"',
        'process = "scale-free"  # starts after three runs of your script, without a block of calibration',
        f"delta = {one.resolution:.3g}  # guess: the smallest gain worth having",
        "estimate_pairs = 4",
        "",
        "[screening]",
        "seeds = 2",
        f"waiting = {one.waiting}  # ideas at a time, as many as trials run at once: the next knows how the last did",
        "advance_one_in = 3",
        "patience = 16  # candidates in a row that are no better than the best so far, before that one is confirmed",
        *_early_stopping(one.follows),
        "[researcher]",
        'name = "portfolio"',
        'options = { members = "bayes,code", control = "random", control_share = 0.05 }' if one.parameters else
        'options = { members = "code", control = "random", control_share = 0.05 }',
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _where(metric: Metric) -> str:
    return f"written to {metric.file}" if metric.file else "printed"


def _report(metric: Metric) -> str:
    if metric.file:
        inner = f"file = {_toml(metric.file)}, key = {_toml(metric.name)}, take = {_toml(metric.take)}"
        return f"report = {{ {inner} }}  # guess: every run writes this file, and under this name"
    return f"report = {{ pattern = {_toml(metric.pattern)}, take = {_toml(metric.take)} }}"


def _progress(metric: Metric | None) -> list[str]:
    if metric is None:
        return []
    return [
        f"progress = {_toml(metric.pattern)}  # guess: {metric.name!r}, printed {metric.occurrences} times on the way"
    ]


def _early_stopping(follows: bool) -> list[str]:
    if not follows:
        return [""]
    return [
        "reduction_factor = 3  # runs outside the best third at 1/4 and 1/2 are ended, if that foretells the end",
        "",
    ]


def _parameters(found: Iterable[tuple[Parameter, Range, Scalar]]) -> list[str]:
    lines: list[str] = []
    for parameter, suggested, value in found:
        lines += ["", "[[program.parameters]]", f"name = {_toml(parameter.name)}  # is {_toml(value)} now",
                  f"at = {_toml(parameter.at)}"]  # fmt: skip
        if parameter.choices:
            lines.append(f"choices = {_toml(list(parameter.choices))}  # guess: {suggested.why}")
        else:
            lines += [f"low = {_toml(parameter.low)}  # guess: {suggested.why}", f"high = {_toml(parameter.high)}"]
            lines += ["log = true"] if parameter.log else []
            lines += ["integer = true"] if parameter.integer else []
        if parameter.cost:
            lines.append(f"cost = {_toml(parameter.cost)}  # guess: a run takes (new / old) ** cost times as long")
    return lines


def _protection(what: Protection) -> list[str]:
    lines = ["", "[program.protect]  # with prints, argument declarations and seeds: no candidate changes it",
             f"functions = {_toml(list(what.functions))}  # guess: evaluation",
             f"names = {_toml(list(what.names))}  # guess: the metric is made of them, or prints"]  # fmt: skip
    lines += [f"calls = {_toml(list(what.calls))}  # they write files, and the score is in one"] if what.calls else []
    if what.idle:
        lines += ["", "[program.protect.idle]  # lines that your run has not reached: a change there does nothing"]
        lines += [f"{_toml(path)} = {_toml(list(spans))}" for path, spans in what.idle.items()]
    return lines


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return f"{value:.6g}" if "." in f"{value:.6g}" or "e" in f"{value:.6g}" else f"{value:.1f}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
