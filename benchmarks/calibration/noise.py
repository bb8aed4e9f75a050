"""Noise of paired differences. Unit: one sd of D = score(X, seed) - score(B, seed), except where a law says otherwise.

Every law has mean zero, so an effect added to it is the true gain. The laws
are those of the reference study (docs/trust.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Law = Callable[[np.random.Generator, tuple[int, ...]], Floats]

CRASH_SHARE = 0.05
CRASH_LOSS = 6.0
GRID = 0.5
_HALF = math.sqrt(0.5)


@dataclass(frozen=True)
class Noise:
    """One law of noise.

    pairs: of a difference. runs: of a single run, for rules that compare unpaired scores (sd about 1/sqrt 2).
    calibration: of a difference of the incumbent with itself. grid: scores are rounded to multiples of it (0: not);
    `pairs` then means the unrounded score of the candidate, and `observe` needs the incumbent's rounded one.
    """

    name: str
    pairs: Law
    runs: Law
    calibration: Law
    grid: float = 0.0
    crash: bool = False

    def observe(self, effect: Floats, mine: Floats, theirs: Floats | None) -> Floats:
        """D for a true gain `effect`, from the noise that `draw` gave."""
        return effect + mine if theirs is None else self.rounded(effect + mine) - theirs

    def rounded(self, score: Floats) -> Floats:
        """The score as it is reported."""
        return np.round(score / self.grid) * self.grid if self.grid else score

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Floats, Floats | None]:
        """Noise of the candidate's side, and the incumbent's reported score where the two are not simply subtracted."""
        mine = self.pairs(rng, shape)
        return mine, self.rounded(self.runs(rng, shape)) if self.grid else None

    def failed(self, mine: Floats) -> Flags | None:
        """Which runs of the candidate crashed. A crash lies far outside what the law gives otherwise."""
        return mine == -CRASH_LOSS if self.crash else None


def _gaussian(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_normal(shape)


def _gaussian_run(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return _HALF * rng.standard_normal(shape)


def _student3(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_t(3, shape) / math.sqrt(3)


def _student3_run(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return _HALF * _student3(rng, shape)


def _accuracy_run(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Beta of mean .9 and sd .02 (a + b = .9 * .1 / .02^2 - 1 = 224), in units of the sd of a difference."""
    return (rng.beta(201.6, 22.4, shape) - 0.9) / (0.02 * math.sqrt(2))


def _accuracy(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return _accuracy_run(rng, shape) - _accuracy_run(rng, shape)


def _crashing(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """-6 with probability 5 %, otherwise Gaussian of sd 1 around the value that makes the mean zero."""
    usual = CRASH_SHARE * CRASH_LOSS / (1 - CRASH_SHARE) + rng.standard_normal(shape)
    return np.where(rng.random(shape) < CRASH_SHARE, -CRASH_LOSS, usual)


NOISES: dict[str, Noise] = {
    noise.name: noise
    for noise in (
        Noise("gaussian", _gaussian, _gaussian_run, _gaussian),
        Noise("t3", _student3, _student3_run, _student3),
        Noise("bounded", _accuracy, _accuracy_run, _accuracy),
        Noise("tied", _gaussian_run, _gaussian_run, _gaussian, grid=GRID),
        Noise("crash", _crashing, _crashing, _gaussian, crash=True),
    )
}
