"""Tasks whose best predictor is known: regression within a context, from a stated prior, scored against Bayes.

A prediction is held against the posterior mean m, which no learner knows: E (p - y)^2 = Bayes risk + E (p - m)^2, so
that the distance from m is the excess risk, without the noise of the labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from novum.symbolic.machine import LANES

Floats = NDArray[np.float64]
NOISE = 0.5
"""Standard deviation of labels around the function."""
LENGTH_SCALE = 0.3
"""Of the Gaussian process, whose inputs lie in (-1, 1)."""


def linear_context(rng: np.random.Generator, steps: int, features: int, length: float) -> tuple[Floats, ...]:
    """Examples (steps, n, LANES), labels, posterior means and Bayes risks (steps, LANES) of y = w.x + noise.

    w is standard normal; features have uneven scales 10^u, u uniform in (-0.5, 0.5), and together the mean squared
    length `length`. The posterior is that of ridge regression with the penalty of the noise's variance (recursive least
    squares, exact).
    """
    x = rng.normal(size=(steps, features, LANES)) * 10 ** rng.uniform(-0.5, 0.5, size=(features, LANES))
    x *= np.sqrt(length / (x**2).sum(1).mean(0))
    w = rng.normal(size=(features, LANES))
    y = (x * w).sum(1) + NOISE * rng.normal(size=(steps, LANES))
    mean, covariance = np.zeros((features, LANES)), np.repeat(np.eye(features)[:, :, None], LANES, 2)
    means, risks = np.empty((steps, LANES)), np.empty((steps, LANES))
    for t in range(steps):
        moved = np.einsum("ijl,jl->il", covariance, x[t])
        risks[t] = NOISE**2 + (x[t] * moved).sum(0)
        means[t] = (mean * x[t]).sum(0)
        mean += moved * (y[t] - means[t]) / risks[t]
        covariance -= moved[:, None] * moved[None] / risks[t]
    return x, y, means, risks


def function_context(rng: np.random.Generator, steps: int, features: int, length: float) -> tuple[Floats, ...]:
    """The same of functions drawn from a Gaussian process with a Gaussian kernel of variance 4.

    A learner sees random Fourier features of the input (Rahimi and Recht 2007); the Bayes predictor knows the kernel.
    """
    inputs = rng.uniform(-1, 1, size=(steps, LANES))
    frequencies, phases = rng.normal(scale=1 / LENGTH_SCALE, size=features), rng.uniform(0, 2 * np.pi, features)
    x = np.sqrt(2 * length / features) * np.cos(inputs[:, None] * frequencies[:, None] + phases[:, None])
    y, means, risks = (np.empty((steps, LANES)) for _ in range(3))
    for lane in range(LANES):
        apart = inputs[:, None, lane] - inputs[None, :, lane]
        kernel = 4.0 * np.exp(-(apart**2) / (2 * LENGTH_SCALE**2))
        root = np.linalg.cholesky(kernel + NOISE**2 * np.eye(steps))
        innovations = rng.normal(size=steps)
        y[:, lane] = root @ innovations
        means[:, lane] = y[:, lane] - np.diag(root) * innovations
        risks[:, lane] = np.diag(root) ** 2
    return x, y, means, risks
