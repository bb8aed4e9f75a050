"""The arena in words and constants."""

from __future__ import annotations

import math
from dataclasses import asdict

from novum.arenas.digits.data import PARTS
from novum.arenas.local_learning.cost import BASELINE
from novum.arenas.local_learning.mnist1d import CLASSES
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.space import space
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options
from novum.core.model.trial import Role

RATES = (0.1, 0.3, 1.0, 3.0)
SURE = 1e-9
"""How seldom a guesser may pass what is called the best that there can be, when labels are drawn anew."""


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    scored = PARTS[Role.SEARCH].size if options.task == "digits" else options.held_out
    where = {"mnist1d": "MNIST-1D", "mnist1d-permuted": "MNIST-1D with permuted points", "digits": "digits"}
    return ArenaSpec(
        name="local-learning",
        question="Which learning rule without backpropagation learns most from equal samples or equal FLOP?",
        metric=f"accuracy on held-out {where[options.task]}",
        higher_is_better=True,
        resolution=1.0 / scored,
        program="novum.arenas.local_learning.trial",
        group_size=8,
        tuning=tuple({"lr": rate} for rate in RATES),
        baseline=space(options).validate(BASELINE),
        requires=("torch", "sklearn") if options.task == "digits" else ("torch",),
        floor=1.0 / CLASSES,
        ceiling=best_guess(scored) if options.shuffled else 1.0,
        bounds=(0.0, 1.0),
        fixed_data=options.task == "digits",
        shifted_data=options.task != "digits",
        transfers=transfers(options),
        controls=Controls(known={"feedback": "sign"}, null_options={"shuffled": True}),
        depends=(
            "novum.arenas.local_learning.rules",
            "novum.arenas.digits.data",
            "novum.arenas.digits.packaged_tables",
            "novum.population.streams",
        ),
        summary="Small networks learn by rules put together from parts of feedback alignment, target propagation, "
        "predictive coding, equilibrium propagation, forward-forward, perturbations and Hebbian components, on MNIST-1D"
        " or digits, at equal samples or equal FLOP.",
    )


def best_guess(scored: int) -> float:
    """What a guess at labels without information reaches with probability below `SURE`.

    Hoeffding's inequality: with n independent labels of chance p, P(share >= p + t) <= exp(-2 n t^2).
    """
    return min(1.0, 1.0 / CLASSES + math.sqrt(-math.log(SURE) / (2 * scored)))


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Where a finding can be tried again: other data, twice the samples, equal FLOP; those that the options allow."""
    other = "digits" if options.task != "digits" else "mnist1d"
    found = [
        Transfer(f"on {other}", {"task": other}),
        Transfer("twice the samples", {"samples": 2 * options.samples}),
    ]
    if options.equal == "samples":
        found.append(Transfer("at equal FLOP", {"equal": "flop"}))
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the local-learning arena")
    except StudyError:
        return False
    return True
