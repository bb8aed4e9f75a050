"""The arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.programs.language import language
from novum.arenas.programs.options import CONTEXTS, Options
from novum.arenas.programs.score import RISK
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options
from novum.symbolic.program_space import ProgramSpace

BAYES = "1 - 2/pi atan(root mean square distance from the Bayes prediction)"
METRICS = {
    "component": "1 - d^2 / 2, d the distance to the first principal component",
    "digits": "share of digits told apart",
    "context": BAYES,
    "functions": BAYES,
}
LEAST_SQUARES: Genome = {
    "setup": "a = 1.0; W = eye(a)",
    "predict": "p = dot(w, x)",
    "learn": "u = W @ x; b = dot(u, x); c = 0.25; b = b + c; a = y - p; a = a / b; v = a * u; w = w + v; "
    "a = 1.0; b = a / b; v = b * u; U = outer(v, u); W = W - U",
}
"""Recursive least squares (Plackett 1950): the Bayes predictor of the task `context`."""
HEBB: Genome = {"predict": "p = dot(w, x)", "learn": "u = y * x; w = u + w"}
KNOWN: dict[str, Genome] = {
    "component": {
        "setup": "b = 0.1; c = 1.0",
        "learn": "a = dot(x, w); a = a * b; u = a * x; w = u + w; a = norm(w); a = c / a; w = a * w",
    },
    "digits": HEBB,
    "teacher": {
        "setup": "a = 0.05",
        "predict": "u = W @ x; v = relu(u); p = dot(w, v)",
        "learn": "b = y - p; b = a * b; u = step(u); u = u * w; u = b * u; U = outer(u, x); W = W + U; v = b * v; "
        "w = w + v",
    },
    "scales": {"predict": "p = dot(w, x)", "learn": "p = y - p; a = dot(x, x); a = p / a; u = a * x; w = u + w"},
}
"""A program that learns, by task: the step along the input, or another where that one fails."""
STEP: Genome = {
    "setup": "b = 0.2",
    "predict": "p = dot(w, x)",
    "learn": "a = y - p; a = a * b; u = a * x; w = u + w",
}
"""Least mean squares (Widrow and Hoff 1960)."""


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    return ArenaSpec(
        name="programs",
        question="Which few instructions learn?",
        metric=METRICS.get(options.task, "1 - 2/pi atan(root mean square error) on examples not seen"),
        higher_is_better=True,
        resolution=1e-4,
        program="novum.arenas.programs.trial",
        group_size=8,
        tuning=({},),
        baseline=_baseline(options),
        requires=("numba", "sklearn") if options.task == "digits" else ("numba",),
        floor=0.0,
        ceiling=1.0,
        bounds=(0.0, 1.0),
        shifted_data=True,
        transfers=_transfers(options),
        metrics=(Metric(RISK, higher_is_better=False, resolution=1e-3),) if options.task in CONTEXTS else (),
        controls=Controls(known=_admitted(KNOWN.get(options.task, STEP), options), null_options={"shuffled": True}),
        statements=language(options).genes,
        depends=("novum.symbolic", "novum.arenas.digits.data", "novum.arenas.digits.packaged_tables"),
        summary="Programs of a few instructions over scalars, vectors and matrices that predict and learn, in the "
        "manner of AutoML-Zero: regression, a teacher network, principal components, digits, drift, uneven scales. "
        "Confirmed on more features and longer lives than searched.",
    )


def _baseline(options: Options) -> Genome:
    """What a study begins with: a program that says the last label, or keeps its random direction.

    Digits are told apart by the sum of what is seen, and examples of uneven scales are met with small steps.
    """
    starts: dict[str, Genome] = {"component": {}, "digits": HEBB, "scales": {**STEP, "setup": "b = 0.05"}}
    return _admitted(starts.get(options.task, {"setup": "a = 1.0", "learn": "p = a * y"}), options)


def _admitted(genome: Genome, options: Options) -> Genome:
    """Its normal form; nothing where the study's language lacks an operation of it."""
    try:
        return ProgramSpace(language(options)).validate(genome)
    except StudyError:
        return {}


def _transfers(options: Options) -> tuple[Transfer, ...]:
    found = (
        Transfer("four times as many features", {"features": 4 * options.features}),
        Transfer("ten times as many examples", {"examples": 10 * options.examples}),
    )
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the programs arena")
    except StudyError:
        return False
    return True
