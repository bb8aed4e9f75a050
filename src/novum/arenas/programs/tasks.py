"""The tasks, made from a seed: examples, labels, and which of a program's registers is scored how.

Everything has LANES independent instances side by side. Features are scaled so that an example has the expected squared
length 4 in any dimension: a step size that suits few features then suits many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from novum.arenas.programs.contexts import function_context, linear_context
from novum.arenas.programs.digit_pairs import digit_pairs
from novum.arenas.programs.options import Options
from novum.core.model.trial import Role
from novum.symbolic.machine import LANES

Floats = NDArray[np.float64]
SQUARED_LENGTH = 4.0
LARGE = 1e3
"""Of a truth that has nothing to do with the examples: else saying little would be better than saying much."""
SQUARED, SIGN, DIRECTION = range(3)
"""How the scored register is held against the truth: squared error, agreement of signs, distance but for the sign."""


@dataclass(frozen=True)
class Task:
    """examples: (steps, n, LANES). labels: (steps, LANES), what `learn` is given. truth: (scored, width, LANES).

    A program predicts at every step and learns at those before `trained`; from step `scored_from` on the scored
    register is read after predicting. first: (n, n, LANES) first value of the matrix W; its first row is that of the
    vector w.
    """

    examples: Floats
    labels: Floats
    truth: Floats
    trained: int
    scored_from: int
    kind: int
    first: Floats
    risks: Floats | None = None
    """(scored, LANES) the Bayes risk, where it is known; the truth is then the Bayes prediction."""

    @property
    def width(self) -> int:
        """Numbers of the scored register."""
        return int(self.truth.shape[1])


@dataclass(frozen=True, slots=True)
class Size:
    """How large a task is, and whom it is for."""

    features: int
    examples: int
    scored: int
    role: Role

    @property
    def steps(self) -> int:
        """Of a life."""
        return self.examples + self.scored


def make(options: Options, role: Role, seed: int) -> Task:
    """The task of a trial. Philox, keyed by the seed."""
    features, examples = options.size(role)
    rng = np.random.Generator(np.random.Philox(key=(seed, 0x70726F6772616D73)))
    found = _MAKERS[options.task](rng, Size(features, examples, options.scored, role))
    if not options.shuffled:
        return found
    labels, truth = rng.normal(size=found.labels.shape), LARGE * rng.normal(size=found.truth.shape)
    return replace(found, labels=labels, truth=truth)


def _inputs(rng: np.random.Generator, steps: int, features: int) -> Floats:
    return rng.normal(scale=np.sqrt(SQUARED_LENGTH / features), size=(steps, features, LANES))


def _first(rng: np.random.Generator, features: int) -> Floats:
    return rng.normal(scale=1 / np.sqrt(features), size=(features, features, LANES))


def _regression(x: Floats, y: Floats, scored: int, first: Floats) -> Task:
    """Learned from all but the last `scored` examples, scored on these."""
    steps = len(x)
    return Task(x, y, y[steps - scored :, None], steps - scored, steps - scored, SQUARED, first)


def _linear(rng: np.random.Generator, size: Size) -> Task:
    """Labels w.x without noise; w is normal, another for each instance (the demonstration of AutoML-Zero)."""
    x = _inputs(rng, size.steps, size.features)
    w = rng.normal(size=(size.features, LANES))
    return _regression(x, (x * w).sum(1), size.scored, _first(rng, size.features))


def _scales(rng: np.random.Generator, size: Size) -> Task:
    """As `linear`, but examples to learn from are stretched by factors 10^u, u uniform in (-0.5, 0.5)."""
    x = _inputs(rng, size.steps, size.features)
    x[: size.examples] *= 10 ** rng.uniform(-0.5, 0.5, size=(size.examples, 1, LANES))
    w = rng.normal(size=(size.features, LANES))
    return _regression(x, (x * w).sum(1), size.scored, _first(rng, size.features))


def _teacher(rng: np.random.Generator, size: Size) -> Task:
    """Labels v.relu(W x): a network of two layers with as many hidden units as features."""
    x = _inputs(rng, size.steps, size.features)
    hidden = np.maximum(0, np.einsum("hfl,tfl->thl", _first(rng, size.features), x))
    readout = rng.normal(size=(size.features, LANES))
    return _regression(x, (readout * hidden).sum(1), size.scored, _first(rng, size.features))


def _drift(rng: np.random.Generator, size: Size) -> Task:
    """Labels w_t.x + noise; w_t is a stationary autoregression (50 steps). Scored before each is learned."""
    steps = size.steps
    x = _inputs(rng, steps, size.features)
    keep = np.exp(-1 / 50)
    w = rng.normal(size=(size.features, LANES))
    y = np.empty((steps, LANES))
    for t in range(steps):
        y[t] = (w * x[t]).sum(0)
        w = keep * w + np.sqrt(1 - keep**2) * rng.normal(size=w.shape)
    y += 0.1 * rng.normal(size=y.shape)
    return Task(x, y, y[size.examples :, None], steps, size.examples, SQUARED, _first(rng, size.features))


def _component(rng: np.random.Generator, size: Size) -> Task:
    """No labels: w shall become the first principal component, of variance nine times that of the others."""
    steps = size.steps
    axis = rng.normal(size=(size.features, LANES))
    axis /= np.sqrt((axis**2).sum(0))
    x = rng.normal(size=(steps, size.features, LANES))
    x += 2.0 * (x * axis).sum(1, keepdims=True) * axis
    x *= np.sqrt(SQUARED_LENGTH / (size.features + 8))
    return Task(x, np.zeros((steps, LANES)), axis[None], steps - 1, steps - 1, DIRECTION, _first(rng, size.features))


def _digits(rng: np.random.Generator, size: Size) -> Task:
    """Two classes of real digits, labels -1 and 1, pixels projected at random; scored by the sign of p."""
    x, y = digit_pairs(rng, size.features, size.examples, size.scored, size.role)
    x *= np.sqrt(SQUARED_LENGTH / (x**2).sum(1, keepdims=True).mean(0, keepdims=True))
    return Task(x, y, y[size.examples :, None], size.examples, size.examples, SIGN, _first(rng, size.features))


def _context(rng: np.random.Generator, size: Size) -> Task:
    """Noisy linear regression from a normal prior, every prediction scored against Bayes."""
    return _against_bayes(linear_context(rng, size.examples, size.features, SQUARED_LENGTH), rng)


def _functions(rng: np.random.Generator, size: Size) -> Task:
    """Functions from a Gaussian process, seen through random Fourier features."""
    return _against_bayes(function_context(rng, size.examples, size.features, SQUARED_LENGTH), rng)


def _against_bayes(made: tuple[Floats, ...], rng: np.random.Generator) -> Task:
    x, y, means, risks = made
    return Task(x, y, means[:, None], len(x), 0, SQUARED, _first(rng, x.shape[1]), risks)


_MAKERS: dict[str, Callable[[np.random.Generator, Size], Task]] = {
    "linear": _linear,
    "teacher": _teacher,
    "component": _component,
    "digits": _digits,
    "drift": _drift,
    "scales": _scales,
    "context": _context,
    "functions": _functions,
}
