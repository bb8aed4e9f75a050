"""Tails and quantiles of Student's t and of F, from the regularised incomplete beta function."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TERMS = 400
_STEPS = 200
_TINY = 1e-300


def beta_share(a: Floats, b: float, x: Floats) -> Floats:
    """I_x(a, b), the regularised incomplete beta function, for a, b > 0 and 0 <= x <= 1.

    Continued fraction (DLMF 8.17.22), evaluated by Lentz's method on the side where it converges fast.
    """
    swap = x > (a + 1) / (a + b + 2)
    p, q = np.where(swap, b, a), np.where(swap, a, b)
    y = np.where(swap, 1 - x, x)
    logs = np.vectorize(math.lgamma, otypes=[float])
    with np.errstate(divide="ignore"):
        front = np.exp(logs(p + q) - logs(p) - logs(q) + p * np.log(y) + q * np.log1p(-y)) / p
    value = front * _fraction(p, q, y)
    return np.asarray(np.where(swap, 1 - value, value))


def _fraction(p: Floats, q: Floats, y: Floats) -> Floats:
    """The continued fraction of I_y(p, q) without its front factor."""
    c = np.ones_like(y)
    d = 1 / _away(1 - (p + q) * y / (p + 1))
    value = d
    for m in range(1, _TERMS):
        for term in (
            m * (q - m) * y / ((p + 2 * m - 1) * (p + 2 * m)),
            -(p + m) * (p + q + m) * y / ((p + 2 * m) * (p + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value = value * c * d
        if np.all(np.abs(c * d - 1) < 1e-14):
            break
    return value


def _away(values: Floats) -> Floats:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def student_quantile(probability: float, dof: Floats | float) -> Floats:
    """The value that Student's t with dof > 0 degrees of freedom stays below with a probability in (.5, 1).

    Newton's method from the first two terms of the expansion in 1 / dof, which lie below: the tail is convex, so no
    step goes too far.
    """
    freedom = np.asarray(dof, dtype=float)
    logs = np.vectorize(math.lgamma, otypes=[float])
    height = np.exp(logs((freedom + 1) / 2) - logs(freedom / 2)) / np.sqrt(freedom * math.pi)
    normal = NormalDist().inv_cdf(probability)
    t = normal + (normal**3 + normal) / (4 * freedom)
    for _ in range(_STEPS):
        density = height * (1 + t * t / freedom) ** (-(freedom + 1) / 2)
        step = (_above(t, freedom) - (1 - probability)) / density
        t = t + step
        if np.all(np.abs(step) <= 1e-9 * t):
            break
    return t


def _above(t: Floats, dof: Floats) -> Floats:
    return beta_share(dof / 2, 0.5, dof / (dof + t * t)) / 2


def f_above(value: float, dof: float, below_dof: float) -> float:
    """The chance that F with (dof, below_dof) degrees of freedom exceeds a value >= 0."""
    share = np.asarray(below_dof / (below_dof + dof * value))
    return float(beta_share(np.asarray(below_dof / 2), dof / 2, share))
