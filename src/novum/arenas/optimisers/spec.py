"""The arena in words and constants."""

from __future__ import annotations

import math
from dataclasses import asdict

from novum.arenas.digits.data import PARTS
from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.named import RULES, SGD
from novum.arenas.optimisers.options import BYTES, CLASSES, Options
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.options import parse_options
from novum.core.model.trial import Role
from novum.symbolic.program_space import ProgramSpace

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Each rule is swept over all of them, so that the scale of its updates need not be its own concern."""
SHORT: Genome = {"step": "m = interp(g, m, 0.6); u = orthogonal(m)"}
"""Known to win on quadratics: Muon's average over twenty steps is long for trials of a hundred."""
METRICS = {
    "quadratic": "held-out loss at the end, over that at the start",
    "mnist1d": "held-out cross-entropy on MNIST-1D at the end, nats",
    "digits": "accuracy on held-out digits at the end",
    "bytes": "held-out cross-entropy of the next byte at the end, nats",
}
GUESSES = {"quadratic": 1.0, "mnist1d": math.log(CLASSES), "digits": 1 / CLASSES, "bytes": math.log(BYTES)}


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    digits = options.task == "digits"
    return ArenaSpec(
        name="optimisers",
        question="Which update rule trains best in equal steps?",
        metric=METRICS[options.task],
        higher_is_better=digits,
        resolution=1.0 / PARTS[Role.SEARCH].size if digits else 0.005,
        program="novum.arenas.optimisers.trial",
        group_size=16,
        tuning=tuple({"lr": rate} for rate in RATES),
        baseline=_admitted(SGD, options),
        requires=("torch", "sklearn") if digits else ("torch",),
        floor=GUESSES[options.task],
        ceiling=1.0 if digits else None,
        bounds=(0.0, 1.0) if digits else None,
        log=not digits,
        fixed_data=digits,
        shifted_data=True,
        transfers=_transfers(options),
        controls=Controls(
            _admitted(SHORT if options.task == "quadratic" else RULES["Muon"], options),
            _admitted({"step": "m = g; u = m"}, options),
        ),
        statements=language(options).genes,
        depends=(
            "novum.symbolic",
            "novum.arenas.digits.data",
            "novum.arenas.digits.packaged_tables",
            "novum.arenas.local_learning.data",
            "novum.arenas.local_learning.mnist1d",
            "novum.arenas.sequence.tasks",
            "novum.population.streams",
            "novum.population.recipe",
        ),
        summary="Update rules of optimisers as programs over gradient, parameter and state: signs, roots, norms "
        "of rows and columns, Newton-Schulz orthogonalisation. Trained on quadratics, MNIST-1D, digits or bytes in "
        "equal steps, each over the same learning rates; scored at the end of the schedule.",
    )


def _admitted(genome: Genome, options: Options) -> Genome:
    """Its normal form; nothing where the study's language lacks an operation of it."""
    try:
        return ProgramSpace(language(options)).validate(genome)
    except StudyError:
        return {}


def _transfers(options: Options) -> tuple[Transfer, ...]:
    """A wider network, longer training, another task; those that the options allow."""
    other = "digits" if options.task == "mnist1d" else "mnist1d"
    found = (
        Transfer("twice the width", {"width": 2 * options.width}),
        Transfer("four times the steps", {"steps": 4 * options.steps}),
        Transfer(f"on {other}", {"task": other}),
    )
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the optimisers arena")
    except StudyError:
        return False
    return True
