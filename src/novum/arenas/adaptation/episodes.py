"""New tasks: examples to adapt to, questions, and what only the scorer knows. NumPy only.

Regression: y = f(x) + noise with f from a stated prior, so that the posterior mean m after any number of examples is
known; E (p - y)^2 = Bayes risk + E (p - m)^2, so that the distance from m is the excess risk, without the noise of the
labels. What is learned beforehand comes from the search's prior; gate and final trials meet other ranges of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novum.arenas.adaptation import tables, texts
from novum.arenas.adaptation.options import Options
from novum.core.model.trial import Role
from novum.population.streams import stream

Floats = NDArray[np.float64]
NOISE = 0.3
"""Standard deviation of labels around the function."""
UNEVEN: Mapping[Role, float] = {Role.SEARCH: 0.3, Role.GATE: 0.4, Role.FINAL: 0.2}
"""Features of a linear map have scales 10^u with u uniform in +- this."""
AMPLITUDES: Mapping[Role, tuple[float, float]] = {
    Role.SEARCH: (0.5, 2.0), Role.GATE: (0.75, 2.25), Role.FINAL: (0.25, 1.75)
}  # fmt: skip
LENGTH_SCALES: Mapping[Role, float] = {Role.SEARCH: 0.6, Role.GATE: 0.5, Role.FINAL: 0.75}
GRID = (24, 96)
"""Amplitudes and phases of the sinusoid's posterior: midpoints of equal cells."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """What a learner sees of tasks.

    inputs [tasks, examples, features], labels [tasks, examples], asked [tasks, questions, features].
    """

    inputs: Floats
    labels: Floats
    asked: Floats


@dataclass(frozen=True, slots=True)
class Truth:
    """What a scorer knows, [levels, tasks, questions]: the posterior mean and the Bayes risk, or the label alone."""

    means: Floats
    risks: Floats


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Tasks with the answers to their questions, [tasks, questions], and whose prior they are from."""

    seen: Episodes
    answers: Floats
    role: Role


def lesson(options: Options, seed: int, step: int) -> tuple[Episodes, Floats]:
    """Tasks to learn from beforehand, and the answers to their questions, [tasks, questions]; as many as examples."""
    rng = stream(seed, f"adaptation/{options.task}/lesson/{step}")
    drawn = _drawn(options, Role.SEARCH, rng, options.batch, options.levels[-1], made_up=True)
    return drawn.seen, drawn.answers


def exam(options: Options, role: Role, seed: int) -> Episodes:
    """What a trial is asked at its end."""
    return _exam(options, role, seed).seen


def truth(options: Options, role: Role, seed: int) -> Truth:
    """What it is scored against, which only the lab may know."""
    drawn = _exam(options, role, seed)
    count = len(options.levels)
    if not options.bayes or options.shuffled:
        return Truth(np.repeat(drawn.answers[None], count, 0), np.ones((count, *drawn.answers.shape)))
    posterior = {"linear": _linear_posterior, "sinusoid": _sinusoid_posterior, "process": _process_posterior}
    found = [posterior[options.task](drawn, k) for k in options.levels]
    return Truth(np.stack([one for one, _ in found]), np.stack([one for _, one in found]))


def _exam(options: Options, role: Role, seed: int) -> _Drawn:
    rng = stream(seed, f"adaptation/{options.task}/exam/{role}")
    return _drawn(options, role, rng, options.exam, options.queries, made_up=False)


def _drawn(
    options: Options, role: Role, rng: np.random.Generator, tasks: int, questions: int, *, made_up: bool
) -> _Drawn:
    """Tasks of a role; of tables those that are made up, or those with real rows."""
    shots = options.levels[-1]
    if not options.bayes:
        kind = texts if options.text else tables
        drawn = kind.made_up(rng, tasks, shots, questions) if made_up else kind.real(rng, role, tasks, shots, questions)
        inputs, labels = drawn
    else:
        make = {"linear": _linear, "sinusoid": _sinusoid, "process": _process}[options.task]
        inputs, values = make(rng, role, tasks, shots + questions, options.inputs)
        labels = values + NOISE * rng.normal(size=values.shape)
    if options.shuffled:
        labels = _meaningless(options, rng, labels.shape)
    seen = Episodes(inputs[:, :shots], labels[:, :shots], inputs[:, shots:])
    return _Drawn(seen, labels[:, shots:], role)


def _meaningless(options: Options, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Labels that have nothing to do with anything."""
    if options.text:
        return rng.integers(texts.SYMBOLS, size=shape).astype(np.float64)
    return rng.choice([-1.0, 1.0], size=shape) if options.classes else rng.normal(size=shape)


def _linear(rng: np.random.Generator, role: Role, tasks: int, count: int, features: int) -> tuple[Floats, Floats]:
    """Weights of variance 1 / features, inputs of mean squared length `features`."""
    scales = 10 ** rng.uniform(-UNEVEN[role], UNEVEN[role], size=(tasks, 1, features))
    scales *= np.sqrt(features / (scales**2).sum(-1, keepdims=True))
    inputs = scales * rng.normal(size=(tasks, count, features))
    weights = rng.normal(size=(tasks, features)) / np.sqrt(features)
    return inputs, np.einsum("tcf,tf->tc", inputs, weights)


def _sinusoid(rng: np.random.Generator, role: Role, tasks: int, count: int, features: int) -> tuple[Floats, Floats]:
    """A sin(x + phase), A and phase uniform, x uniform in (-5, 5); see Finn et al. 2017, arXiv 1703.03400, 5.1."""
    del features
    inputs = rng.uniform(-5, 5, size=(tasks, count, 1))
    low, high = AMPLITUDES[role]
    amplitudes, phases = rng.uniform(low, high, size=(tasks, 1)), rng.uniform(0, 2 * np.pi, size=(tasks, 1))
    return inputs, amplitudes * np.sin(inputs[..., 0] + phases)


def _process(rng: np.random.Generator, role: Role, tasks: int, count: int, features: int) -> tuple[Floats, Floats]:
    """A Gaussian process of variance 1 with a Gaussian kernel, inputs uniform in (-2, 2)."""
    del features
    inputs = rng.uniform(-2, 2, size=(tasks, count, 1))
    covariance = _kernel(inputs, inputs, role) + 1e-8 * np.eye(count)
    values = np.einsum("tij,tj->ti", np.linalg.cholesky(covariance), rng.normal(size=(tasks, count)))
    return inputs, values


def _kernel(one: Floats, other: Floats, role: Role) -> Floats:
    apart = one[:, :, None, 0] - other[:, None, :, 0]
    found: Floats = np.exp(-(apart**2) / (2 * LENGTH_SCALES[role] ** 2))
    return found


def _linear_posterior(drawn: _Drawn, shots: int) -> tuple[Floats, Floats]:
    """Ridge regression whose penalty is noise variance over prior variance."""
    inputs, labels = drawn.seen.inputs[:, :shots], drawn.seen.labels[:, :shots]
    features = inputs.shape[-1]
    precision = np.einsum("tki,tkj->tij", inputs, inputs) / NOISE**2 + features * np.eye(features)
    covariance = np.linalg.inv(precision)
    weights = np.einsum("tij,tkj,tk->ti", covariance, inputs, labels) / NOISE**2
    asked = drawn.seen.asked
    return (
        np.einsum("tqi,ti->tq", asked, weights),
        NOISE**2 + np.einsum("tqi,tij,tqj->tq", asked, covariance, asked),
    )


def _process_posterior(drawn: _Drawn, shots: int) -> tuple[Floats, Floats]:
    """Of the Gaussian process (Rasmussen and Williams 2006, equations 2.23 and 2.24)."""
    inputs, labels, asked = drawn.seen.inputs[:, :shots], drawn.seen.labels[:, :shots], drawn.seen.asked
    covariance = _kernel(inputs, inputs, drawn.role) + NOISE**2 * np.eye(shots)
    across = _kernel(asked, inputs, drawn.role)
    gain = np.swapaxes(np.linalg.solve(covariance, np.swapaxes(across, 1, 2)), 1, 2)
    return np.einsum("tqk,tk->tq", gain, labels), NOISE**2 + 1 - (gain * across).sum(-1)


def _sinusoid_posterior(drawn: _Drawn, shots: int) -> tuple[Floats, Floats]:
    """By the midpoint rule over amplitude and phase."""
    low, high = AMPLITUDES[drawn.role]
    amplitudes = low + (high - low) * (np.arange(GRID[0]) + 0.5) / GRID[0]
    phases = 2 * np.pi * (np.arange(GRID[1]) + 0.5) / GRID[1]
    means, risks = [], []
    for inputs, labels, asked in zip(drawn.seen.inputs, drawn.seen.labels, drawn.seen.asked, strict=True):
        waves = np.sin(inputs[:shots, 0, None] + phases)
        wrong = labels[:shots, None, None] - amplitudes[:, None] * waves[:, None]
        logs = -(wrong**2).sum(0) / (2 * NOISE**2)
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        curves = np.sin(asked[:, 0, None] + phases)
        first, second = amplitudes @ weights, amplitudes**2 @ weights
        means.append(curves @ first)
        risks.append(NOISE**2 + curves**2 @ second - (curves @ first) ** 2)
    return np.stack(means), np.stack(risks)
