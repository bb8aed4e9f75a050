"""The spec of the coin-flip arena."""

from __future__ import annotations

from novum.arenas.coinflip.space import SPACE
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.metric import Metric

CHANGES = "share of changes"

CARD = ArenaSpec(
    name="coinflip",
    question="Which way of making a coin shows heads most often?",
    metric="share of heads",
    higher_is_better=True,
    resolution=0.01,
    program="novum.arenas.coinflip.trial",
    group_size=8,
    tuning=({},),
    baseline={gene.name: gene.choices[0] for gene in SPACE.genes},
    floor=0.0,
    ceiling=1.0,
    controls=Controls(known={"spin": 2}, null={"shade": 1}, null_options={"world": "null"}),
    metrics=(Metric(CHANGES, higher_is_better=True, resolution=0.01),),
    transfers=(Transfer("ten times as many flips", {"flips": 1000}), Transfer("fair coins", {"world": "null"})),
    summary="Coins with known chances: the instrument that shows whether the lab's claims are true.",
)
