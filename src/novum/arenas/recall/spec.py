"""The recall arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.recall.options import Options
from novum.arenas.recall.space import SPACE
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome, Setting
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options

BASELINE: Genome = SPACE.validate({"mixer": "linear", "conv": 4, "d_key": 16})


def resolution(options: Options) -> float:
    """One held-out query more or less: the smallest step of the accuracy."""
    return 1.0 / (options.held_out * options.queries)


def chance(options: Options) -> float:
    """The accuracy of a guess: one value among all."""
    return 1.0 / (options.vocabulary - options.vocabulary // 2)


WHOLE = "sequences without an error"


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Another task, more keys, a longer training: those that the options allow."""
    other: Setting = {"task": "mqar", "writes": 1}
    if options.task == "mqar":
        other = {"task": "overwrite", "writes": 2, "keys": max(1, options.length // 6), "fill": "zero"}
    keys = options.keys + max(1, options.keys // 3)
    length = 4 * keys if options.task == "mqar" else options.length + 2 * options.writes * (keys - options.keys)
    vocabulary = max(options.vocabulary, 2 * keys * options.writes, length + 2)
    found = [
        Transfer("the other task", other),
        Transfer("a third more keys", {"keys": keys, "length": length, "vocabulary": vocabulary}),
        Transfer("trained twice as long", {"steps": 2 * options.steps}),
    ]
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    given = {**asdict(options), **transfer.options}
    try:
        parse_options(Options, given, "the recall arena")
    except StudyError:
        return False
    return True


SPEC = ArenaSpec(
    name="recall",
    question="Which token mixer remembers, and revises, key-value pairs within a small state?",
    metric="accuracy on held-out queries",
    higher_is_better=True,
    resolution=resolution(Options()),
    program="novum.arenas.recall.trial",
    group_size=8,
    tuning=({"lr": 0.01}, {"lr": 0.03}, {"lr": 0.1}),
    baseline=BASELINE,
    requires=("torch",),
    ceiling=1.0,
    bounds=(0.0, 1.0),
    transfers=transfers(Options()),
    metrics=(Metric(WHOLE, higher_is_better=True, resolution=1.0 / 256),),
    controls=Controls(known={"write": "delta"}, null_options={"shuffled": True}),
    summary="Small sequence models are trained on streams of key-value pairs, some of them overwritten, and asked for "
    "the latest value of a key. Candidates are token mixers: linear attention, delta rule, decay, gates, softmax.",
)
