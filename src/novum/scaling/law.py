"""Laws of scaling: what loss is expected of a size and an amount of data, and what follows for a compute budget.

Units: parameters N are counted with embeddings (arXiv 2406.12907), tokens D are training tokens, compute C is FLOP of
training, C = k N D with k = 6 unless stated (forward 2, backward 4 for each parameter and token).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.core.model.errors import StudyError

Floats = npt.NDArray[np.float64]

FLOP_PER_PARAMETER_TOKEN = 6.0


@dataclass(frozen=True, slots=True)
class Optimum:
    """The split of a compute budget with the least loss: parameters, tokens, FLOP, and that loss."""

    parameters: float
    tokens: float
    compute: float
    loss: float


@dataclass(frozen=True, slots=True)
class ScalingLaw:
    """loss(N, D) = E + A / N^alpha + B / D^beta (Hoffmann et al., arXiv 2203.15556, equation 2).

    E, A, B >= 0 in units of the loss; alpha, beta > 0.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        _check(self.E, (self.A, self.B), (self.alpha, self.beta))

    def loss(self, parameters: Floats | float, tokens: Floats | float) -> Floats:
        """Expected loss for N parameters and D tokens, of any shapes that broadcast."""
        size, data = np.asarray(parameters, dtype=float), np.asarray(tokens, dtype=float)
        return np.asarray(self.E + self.A * size**-self.alpha + self.B * data**-self.beta)

    @property
    def a(self) -> float:
        """The exponent of the best size: N_opt grows as C^a, D_opt as C^(1 - a)."""
        return self.beta / (self.alpha + self.beta)

    @property
    def gamma(self) -> float:
        """The exponent of the frontier: the least loss less E falls as C^-gamma."""
        return self.alpha * self.beta / (self.alpha + self.beta)

    def optimum(self, compute: float, flop_per_parameter_token: float = FLOP_PER_PARAMETER_TOKEN) -> Optimum:
        """N_opt = G (C / k)^a and D_opt = (C / k)^(1 - a) / G with G = (alpha A / (beta B))^(1 / (alpha + beta)).

        Raises StudyError where A or B is zero, since no finite split is best then.
        """
        if not (self.A > 0 and self.B > 0):
            raise StudyError(f"{self}: no split of compute is best where A or B is zero")
        pairs = compute / flop_per_parameter_token
        best = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        parameters = best * pairs**self.a
        tokens = pairs / parameters
        return Optimum(parameters, tokens, compute, float(self.loss(parameters, tokens)))


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """value(x) = E + A / x^alpha: loss, or a share of errors, against one quantity such as state, context or FLOP."""

    E: float
    A: float
    alpha: float

    def __post_init__(self) -> None:
        _check(self.E, (self.A,), (self.alpha,))

    def value(self, x: Floats | float) -> Floats:
        """Expected value at x, of any shape."""
        return np.asarray(self.E + self.A * np.asarray(x, dtype=float) ** -self.alpha)


def _check(floor: float, amounts: tuple[float, ...], exponents: tuple[float, ...]) -> None:
    numbers = (floor, *amounts, *exponents)
    if not all(math.isfinite(one) for one in numbers) or min(floor, *amounts) < 0 or min(exponents) <= 0:
        raise StudyError(f"a law needs finite E, A, B >= 0 and exponents > 0, not {numbers}")
