"""The e-processes of novum.gate for many campaigns at once, with campaigns as the vector axis."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from calibration.noise import Flags, Floats
from novum.gate import scale_free, symmetric
from novum.gate.eprocess import FIRST_BET, LARGEST_BET, PRIOR_VARIANCE


class Process(Protocol):
    """One e-process in each campaign; `e` is its value."""

    e: Floats

    def step(self, gains: Floats) -> None:
        """Take one more difference in each campaign."""
        ...

    def keep(self, which: Flags) -> None:
        """Go on with these campaigns only."""
        ...


class Betting:
    """novum.gate.eprocess.path: bound (the value tested), c and L by campaign."""

    def __init__(self, bound: Floats, c: Floats, loss: Floats) -> None:
        self.bound, self.c, self.loss = bound, c, loss
        self.e = np.ones(c.size)
        self.bet = np.minimum(FIRST_BET, LARGEST_BET / loss)
        self.total, self.squares = np.zeros(c.size), np.zeros(c.size)

    def step(self, gains: Floats) -> None:
        """One pair."""
        y = np.maximum(-self.loss, np.minimum(1.0, (gains - self.bound) / self.c))
        self.e = self.e * (1.0 + self.bet * y)
        self.total = self.total + y
        self.squares = self.squares + y * y
        bet = self.total / (PRIOR_VARIANCE + self.squares)
        self.bet = np.minimum(np.maximum(bet, 0.0), LARGEST_BET / self.loss)

    def keep(self, which: Flags) -> None:
        """Go on with these campaigns only."""
        for name in ("bound", "c", "loss", "e", "bet", "total", "squares"):
            setattr(self, name, getattr(self, name)[which])


class Mixture:
    """novum.gate.scale_free.path or novum.gate.symmetric.path: products over a grid; sigma by campaign."""

    def __init__(self, bound: Floats, sigma: Floats, *, free: bool) -> None:
        self.bound, self.n = bound, 0
        self.prior = scale_free.PRIOR_PAIRS if free else 0
        self.grid = np.array(scale_free.GRID if free else symmetric.GRID)[:, None]
        self.e, self.squares = np.ones(sigma.size), self.prior * sigma**2
        self.products = np.ones((len(self.grid), sigma.size))

    def step(self, gains: Floats) -> None:
        """One pair."""
        self.n += 1
        x = gains - self.bound
        self.squares = self.squares + x * x
        scale = np.sqrt(self.squares / (self.n + self.prior))
        standard = np.divide(x, scale, out=np.zeros_like(x), where=scale > 0)
        self.products = self.products * (1.0 + np.tanh(self.grid * standard))
        self.e = self.products.mean(axis=0)

    def keep(self, which: Flags) -> None:
        """Go on with these campaigns only."""
        self.bound, self.e, self.squares = self.bound[which], self.e[which], self.squares[which]
        self.products = self.products[:, which]


def process(name: str, bound: Floats, c: Floats, loss: Floats, sigma: Floats) -> Process:
    """The process that a study names."""
    return Betting(bound, c, loss) if name == "betting" else Mixture(bound, sigma, free=name == "scale-free")


def in_reach(
    sd: Floats, drift: Floats, e_value: Floats, goal: Floats | np.float64, n: int, last: Floats, optimism: float
) -> Flags:
    """novum.gate.eprocess.reachable."""
    effect = np.maximum(drift / sd + optimism / math.sqrt(n), 0.0)
    hope = math.log(2) * (1.0 - np.exp(-effect * effect / (2 * math.log(2))))
    reached: Flags = np.log(np.maximum(e_value, 1e-300)) + (last - n) * hope >= goal
    return reached
