"""The arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.memory.language import language
from novum.arenas.memory.named import RULES
from novum.arenas.memory.options import PARTS, Options
from novum.arenas.memory.streams import loads
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options
from novum.core.model.trial import Role
from novum.symbolic.machine import LANES


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    part = PARTS[Role.SEARCH]
    asked = sum(max(1, round(load * options.size)) for load in loads(part)) * LANES
    return ArenaSpec(
        name="memory",
        question="Which rule writes pairs into a memory of fixed size so that most are read back?",
        metric=f"area under recall over pairs per dimension, {options.score} of {len(options.regimes)} regimes",
        higher_is_better=True,
        resolution=1.0 / asked,
        program="novum.arenas.memory.trial",
        group_size=8,
        tuning=({},),
        baseline=RULES["hebb"].genome(),
        requires=("numba",),
        floor=1.0 / options.codebook(Role.SEARCH),
        ceiling=1.0,
        bounds=(0.0, 1.0),
        shifted_data=True,
        metrics=tuple(Metric(name, True, 1.0 / asked) for name in options.regimes),
        transfers=_transfers(options),
        controls=Controls(known=RULES["delta"].genome(0.5), null_options={"shuffled": True}),
        statements=language(options).genes,
        depends=("novum.symbolic",),
        summary="Associative memories without training: pairs of vectors are written into a matrix by a program of a "
        "few instructions and read back by the nearest value. Keys are plain, correlated, overwritten, between noise, "
        "drifting, or small. State is bounded; confirmed in more dimensions with other loads.",
    )


def _transfers(options: Options) -> tuple[Transfer, ...]:
    found = (
        Transfer("twice the dimensions", {"size": 2 * options.size}),
        Transfer("four times as many values", {"values": 4 * options.values}),
    )
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the memory arena")
    except StudyError:
        return False
    return True
