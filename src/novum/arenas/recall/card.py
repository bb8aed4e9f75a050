"""The recall arena in words and constants."""

from __future__ import annotations

from novum.arenas.recall.options import Options
from novum.arenas.recall.space import SPACE
from novum.core.nouns import Card, Controls, Genome

BASELINE: Genome = SPACE.validate({"mixer": "linear", "conv": 4, "d_key": 16})


def resolution(options: Options) -> float:
    """One held-out query more or less: the smallest step of the accuracy."""
    return 1.0 / (options.held_out * options.queries)


def chance(options: Options) -> float:
    """The accuracy of a guess: one value among all."""
    return 1.0 / (options.vocabulary - options.vocabulary // 2)


CARD = Card(
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
    controls=Controls(known={"write": "delta"}, null_options={"shuffled": True}),
    summary="Small sequence models are trained on streams of key-value pairs, some of them overwritten, and asked for "
    "the latest value of a key. Candidates are token mixers: linear attention, delta rule, decay, gates, softmax.",
)
